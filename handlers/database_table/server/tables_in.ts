import type { DatabaseTable } from "../../../crds/database_table/types.ts";
import { isKubeError, type KubeClient } from "../../../kube/client/client.ts";
import { referenceOf } from "./database_reference.ts";
import { TABLE_RESOURCE } from "../handler.ts";

const PAGE = 500;
/** More names help nobody. */
const ENOUGH = 10;

/** Finds objects whose table is in a Database, and that are not being deleted: the first few, as `namespace/name`. */
export type TablesIn = (
  database: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
) => Promise<readonly string[]>;

/**
 * Asks the API server, since a cache may not know the newest.
 *
 * @param namespaces That are watched; empty: all.
 */
export function tablesIn(client: Pick<KubeClient, "list">, namespaces: readonly string[]): TablesIn {
  return async (database, signal) => {
    const found: string[] = [];
    for (const namespace of namespaces.length === 0 ? [undefined] : namespaces) {
      for await (const object of eachTable(client, namespace, signal)) {
        if (object.metadata.deletionTimestamp !== undefined) continue;
        const reference = referenceOf(object.spec, object.metadata.namespace);
        if (reference?.kind !== "Database") continue;
        if (reference.namespace !== database.namespace || reference.name !== database.name) continue;
        found.push(`${object.metadata.namespace}/${object.metadata.name}`);
        if (found.length === ENOUGH) return found;
      }
    }
    return found;
  };
}

async function* eachTable(
  client: Pick<KubeClient, "list">,
  namespace: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<DatabaseTable> {
  let next: string | undefined;
  do {
    const options = { limit: PAGE, signal, namespace, continue: next };
    const page = await client.list<DatabaseTable>(TABLE_RESOURCE, options).catch((error) => {
      // The kind is not served, or its namespace is none that we work in: then there is no table of ours.
      if (isKubeError(error, 404) || isKubeError(error, 403)) return { items: [], continue: undefined };
      throw error;
    });
    yield* page.items;
    next = page.continue;
  } while (next !== undefined);
}

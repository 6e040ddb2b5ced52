import type { ResourceType } from "../../kube/object.ts";
import type { Stage } from "./stage.ts";
import { FLOOR_RESOURCE, TABLE_RESOURCE } from "./tables.ts";
import { until } from "./wait.ts";

/** Removes all objects and tables of a benchmark; the operator must be running. */
export async function deleteAll(stage: Stage): Promise<void> {
  for (const type of [TABLE_RESOURCE, FLOOR_RESOURCE]) await deleteCollection(stage, type);
  await until("all objects are gone", async () => {
    const pages = await Promise.all(
      [TABLE_RESOURCE, FLOOR_RESOURCE].map((type) => stage.client.list(type, { namespace: stage.namespace, limit: 1 })),
    );
    return pages.every((page) => page.items.length === 0);
  }, 100);
  await dropTables(stage);
}

async function deleteCollection({ client, namespace }: Stage, type: ResourceType): Promise<void> {
  const path = `/apis/${type.group}/${type.version}/namespaces/${namespace}/${type.plural}`;
  await client.request("DELETE", path);
}

/** Drops what the floors made, some hundred tables a transaction. */
async function dropTables({ sql }: Stage): Promise<void> {
  const rows = await sql.unsafe("SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'");
  for (let first = 0; first < rows.length; first += 100) {
    await sql.unsafe(`DROP TABLE ${rows.slice(first, first + 100).map(({ name }) => `public.${name}`).join(", ")}`);
  }
}

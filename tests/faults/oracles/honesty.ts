import { TABLE_RESOURCE } from "../../../handlers/database_table/handler.ts";
import { isKubeError, type KubeClient } from "../../../kube/client/client.ts";
import type { KubeObject } from "../../../kube/object.ts";
import type { ApiRequest } from "../api_fault_proxy.ts";
import type { AsSuperuser } from "../ddl_journal.ts";
import { catalogFaults, type PlanSpec, readParts } from "./catalog_parts.ts";

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly observedGeneration?: number;
}

/** The part of a status that makes a claim. */
export interface ClaimedStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
}

/** Whether a status says that the spec of that generation is reached. */
export function claimsReady(
  { observedGeneration, conditions }: ClaimedStatus,
  generation: number | undefined,
): boolean {
  const ready = conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True" && ready.observedGeneration === generation && observedGeneration === generation;
}

/** What a false claim is, in one line; empty if the claim is true or none is made. */
export function liesOf(
  status: ClaimedStatus,
  object: { readonly generation: number | undefined; readonly spec: PlanSpec },
  parts: readonly string[],
): readonly string[] {
  if (!claimsReady(status, object.generation)) return [];
  return catalogFaults(object.spec, parts)
    .map((fault) => `${object.spec.tableName}: Ready=True of generation ${object.generation}, but ${fault}`);
}

/** Compares each status of a table, before the API server gets it, with the catalog as it is at that moment. */
export function watchHonesty(
  { user, namespace, sql }: { readonly user: KubeClient; readonly namespace: string; readonly sql: AsSuperuser },
  lies: string[],
): (request: ApiRequest) => Promise<void> {
  return async ({ path, body }) => {
    const name = /\/databasetables\/([^/]+)\/status$/.exec(path)?.[1];
    const status = name === undefined ? undefined : (JSON.parse(body) as { status?: ClaimedStatus }).status;
    if (name === undefined || status === undefined) return;
    const object = await readObject(user, { namespace, name });
    if (object === undefined) return;
    const { generation } = object.metadata;
    // Asked first, so that an ordinary status costs no look at the catalog.
    if (!claimsReady(status, generation)) return;
    const spec = object.spec as PlanSpec;
    lies.push(...liesOf(status, { generation, spec }, await readParts(sql, spec.tableName.toLowerCase())));
  };
}

async function readObject(
  user: KubeClient,
  reference: { readonly namespace: string; readonly name: string },
): Promise<KubeObject | undefined> {
  try {
    return await user.get(TABLE_RESOURCE, reference);
  } catch (error) {
    if (isKubeError(error, 404)) return undefined;
    throw error;
  }
}

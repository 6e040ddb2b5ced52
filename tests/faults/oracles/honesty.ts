import { POD } from "../../../handlers/database/observe/children.ts";
import { DATABASE_RESOURCE } from "../../../handlers/database/objects.ts";
import { TABLE_RESOURCE } from "../../../handlers/database_table/handler.ts";
import { isKubeError, type KubeClient } from "../../../kube/client/client.ts";
import type { KubeObject, ResourceType } from "../../../kube/object.ts";
import type { ApiRequest } from "../proxies/api_fault_proxy.ts";
import type { AsSuperuser } from "../ddl_journal.ts";
import { catalogFaults, type PlanSpec, readParts } from "./catalog_parts.ts";
import { type SeenPod, serverLies, type ServerSpec } from "./server_honesty.ts";

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

/** What a false claim of a table is, in one line; empty if the claim is true or none is made. */
export function liesOf(
  status: ClaimedStatus,
  object: { readonly generation: number | undefined; readonly spec: PlanSpec },
  parts: readonly string[],
): readonly string[] {
  if (!claimsReady(status, object.generation)) return [];
  return catalogFaults(object.spec, parts)
    .map((fault) => `${object.spec.tableName}: Ready=True of generation ${object.generation}, but ${fault}`);
}

/** Where to look for what a status speaks of. */
export interface Witness {
  readonly user: KubeClient;
  readonly namespace: string;
  readonly sql: AsSuperuser;
}

/**
 * Compares each status, before the API server gets it, with what is there at that moment: that of a table with the catalog, that of a
 * Database with its Pod.
 */
export function watchHonesty(witness: Witness, lies: string[]): (request: ApiRequest) => Promise<void> {
  return async ({ path, body }) => {
    const claim = claimOf({ path, body });
    if (claim === undefined) return;
    const { type, name, status } = claim;
    const object = await readOrNothing(witness, type, name);
    if (object === undefined) return;
    const after = statusAfter(object.status, status);
    // Asked first, so that an ordinary status costs no look at what it speaks of.
    if (!claimsReady(after, object.metadata.generation)) return;
    lies.push(...await (type === TABLE_RESOURCE ? askCatalog : askPod)(witness, after, object));
  };
}

interface Claim {
  readonly type: ResourceType;
  readonly name: string;
  readonly status: ClaimedStatus;
}

/** What a request says of an object of ours; `undefined` if it writes no status. */
export function claimOf({ path, body }: Pick<ApiRequest, "path" | "body">): Claim | undefined {
  const [, plural, name] = /\/(databasetables|databases)\/([^/]+)\/status$/.exec(path) ?? [];
  const status = name === undefined ? undefined : (JSON.parse(body) as { status?: ClaimedStatus }).status;
  if (name === undefined || status === undefined) return undefined;
  return { type: plural === TABLE_RESOURCE.plural ? TABLE_RESOURCE : DATABASE_RESOURCE, name, status };
}

/** A status is written as a merge patch of what changes: the generation that it speaks of may stand in the stored one. */
export function statusAfter(stored: unknown, patch: ClaimedStatus): ClaimedStatus {
  return { ...(stored as ClaimedStatus | undefined), ...patch };
}

async function askCatalog({ sql }: Witness, status: ClaimedStatus, object: KubeObject): Promise<readonly string[]> {
  const spec = object.spec as PlanSpec;
  const parts = await readParts(sql, spec.tableName.toLowerCase());
  return liesOf(status, { generation: object.metadata.generation, spec }, parts);
}

async function askPod(witness: Witness, status: ClaimedStatus, object: KubeObject): Promise<readonly string[]> {
  const { name, generation } = object.metadata;
  const spec = object.spec as ServerSpec;
  const pod = await readOrNothing<KubeObject & SeenPod>(witness, POD, name);
  return serverLies(status, { name, generation, spec }, pod);
}

async function readOrNothing<T extends KubeObject>(
  { user, namespace }: Pick<Witness, "user" | "namespace">,
  type: ResourceType,
  name: string,
): Promise<T | undefined> {
  try {
    return await user.get<T>(type, { namespace, name });
  } catch (error) {
    if (isKubeError(error, 404)) return undefined;
    throw error;
  }
}

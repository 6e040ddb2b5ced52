import { type DatabaseType, SCHEMA_REVISION } from "../../../crds/database/types.ts";
import type { KubeObject, OwnerReference } from "../../../kube/object.ts";
import type { Identity } from "../build/desired.ts";

const MANAGED_BY = "app.kubernetes.io/managed-by";
const INSTANCE = "app.kubernetes.io/instance";
const MANAGER = "tablewright";

/** Selects the objects of all Databases: whatever is watched is watched with it. */
export const OWNED_SELECTOR = `${MANAGED_BY}=${MANAGER},app.kubernetes.io/component=database`;

/** On the Pod: of which template it was made. */
export const TEMPLATE_HASH = "tablewright.dev/template-hash";
/** On the Pod: it was made by another operator, and is kept as it is. */
export const TAKEN_OVER = "tablewright.dev/taken-over";
/** On the Pod and the claim: which server has its files there. */
export const SERVER_TYPE = "tablewright.dev/server-type";
export const SERVER_VERSION = "tablewright.dev/server-version";
/** The schema that was served when an object was written: under a lower one, fields of the spec may be pruned now. */
const SCHEMA_REVISION_SEEN = "tablewright.dev/schema-revision";

/** On the object, where the definition has no room for a status: that everything is made, and where it is reached. */
export const MESSAGE = "zalando.org/message";
export const NODE_PORT = "zalando.org/node-port";

/** What everything that is made for a Database carries; `app: db` is what users of the tutorials select by. */
export function labelsOf({ name }: Identity, type: DatabaseType): Readonly<Record<string, string>> {
  return {
    app: "db",
    "app.kubernetes.io/name": type,
    [INSTANCE]: name,
    "app.kubernetes.io/component": "database",
    [MANAGED_BY]: MANAGER,
  };
}

/** What tells that an object without an owner is ours: see {@linkcode ownershipOf}. */
export function markOf({ name }: Pick<Identity, "name">): Readonly<Record<string, string>> {
  return { [MANAGED_BY]: MANAGER, [INSTANCE]: name };
}

/** What the Service selects: the Pod of this Database alone. */
export function selectorOf({ name }: Identity): Readonly<Record<string, string>> {
  return { app: "db", [INSTANCE]: name, [MANAGED_BY]: MANAGER };
}

/** Remembers that the spec may hold more than a lower schema shows. */
export function schemaAnnotations(isOurSchema: boolean): Readonly<Record<string, string>> {
  return isOurSchema ? { [SCHEMA_REVISION_SEEN]: String(SCHEMA_REVISION) } : {};
}

/** Whether an object was written while our schema was served. */
export function knowsOurSchema({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[SCHEMA_REVISION_SEEN] !== undefined;
}

/** What makes the garbage collector take an object away with its Database. */
export function ownerReferenceOf({ apiVersion, kind, name, uid }: Identity): OwnerReference {
  return { apiVersion, kind, name, uid, controller: true };
}

/** `namespace/name` of the Database that an object was made for. */
export function ownerKeyOf({ metadata }: KubeObject): string | undefined {
  const instance = metadata.labels?.[INSTANCE];
  return instance === undefined ? undefined : `${metadata.namespace}/${instance}`;
}

/**
 * Whose an object is that has a name we need:
 *
 * - `ours`: made for this Database (or, without an owner, for one of this name before it);
 * - `kopf`: owned by this Database, but made by another operator;
 * - `former`: made for an earlier Database of this name; the garbage collector takes it;
 * - `foreign`: somebody else's, never touched.
 */
export type Ownership = "ours" | "kopf" | "former" | "foreign";

/** Names whose an object is. Pure. */
export function ownershipOf({ metadata }: KubeObject, identity: Pick<Identity, "name" | "kind" | "uid">): Ownership {
  const { labels = {}, ownerReferences = [] } = metadata;
  const owners = ownerReferences.filter((each) => each.kind === identity.kind && each.name === identity.name);
  const isLabelled = labels[MANAGED_BY] === MANAGER && labels[INSTANCE] === identity.name;
  const isOwned = owners.some((each) => each.uid === identity.uid);
  if (isLabelled) return isOwned || ownerReferences.length === 0 ? "ours" : owners.length > 0 ? "former" : "foreign";
  if (isOwned) return "kopf";
  return owners.length > 0 ? "former" : "foreign";
}

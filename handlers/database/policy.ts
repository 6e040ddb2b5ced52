import { type FieldError, forbidden, invalid } from "../../crds/field_error.ts";
import type { DatabaseSpec } from "../../crds/database/types.ts";
import { sizeFaults, versionFaults } from "../../crds/database/validate.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { Children, Pod, VolumeClaim } from "./observe/children.ts";
import type { Identity, Server } from "./build/desired.ts";
import { ownershipOf, SERVER_TYPE, SERVER_VERSION } from "./observe/labels.ts";

type Owner = Pick<Identity, "kind" | "name" | "uid">;

/**
 * The children without those that the spec does not ask for and that are somebody else's: their names are not needed. Of a user's
 * own Secret nothing is asked either. Pure.
 */
export function childrenInQuestion(children: Children, spec: DatabaseSpec, owner: Owner): Children {
  const unless = <T extends KubeObject>(isNeeded: boolean, child: T | undefined) =>
    child !== undefined && !isNeeded && ownershipOf(child, owner) === "foreign" ? undefined : child;
  return {
    ...children,
    claim: unless(spec.storage !== undefined, children.claim),
    networkPolicy: unless(spec.networkPolicy, children.networkPolicy),
  };
}

function namedChildren(children: Children, isUserSecret: boolean): readonly KubeObject[] {
  const { pod, service, claim, credentials, binding, networkPolicy } = children;
  const all = [pod, service, claim, isUserSecret ? undefined : credentials, binding, networkPolicy];
  return all.filter((each) => each !== undefined);
}

/** Faults of names that somebody else has. Pure. */
export function nameFaults(children: Children, owner: Owner, isUserSecret: boolean): readonly FieldError[] {
  return namedChildren(children, isUserSecret)
    .filter((child) => ownershipOf(child, owner) === "foreign")
    .map(takenFault);
}

/** The fault of a name that is taken. */
function takenFault({ kind, metadata }: KubeObject): FieldError {
  const what = `${kind} ${metadata.namespace}/${metadata.name}`;
  return invalid(
    "metadata.name",
    `${what} exists and was not made for this Database: choose another name or remove it`,
  );
}

/** What an earlier Database of this name has left and the garbage collector takes. Pure. */
export function formerChildren(children: Children, identity: Owner, isUserSecret: boolean): readonly string[] {
  return namedChildren(children, isUserSecret)
    .filter((child) => ownershipOf(child, identity) === "former")
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

/** What the data does not survive: the same rules as at admission, but on what exists. Pure. */
export function changeFaults(server: Server, { pod, claim }: Children): readonly FieldError[] {
  const before = claim ?? pod;
  if (before === undefined) return [];
  const { annotations = {} } = before.metadata;
  const type = annotations[SERVER_TYPE];
  if (type !== undefined && type !== server.spec.type) {
    return [forbidden("spec.type", `is immutable: the ${before.kind} ${before.metadata.name} is of a ${type}`)];
  }
  const version = annotations[SERVER_VERSION];
  return [
    ...(version === undefined ? [] : versionFaults(server.spec, version)),
    ...(claim === undefined ? [] : claimFaults(server, claim)),
  ];
}

function claimFaults({ spec: { storage } }: Server, claim: VolumeClaim): readonly FieldError[] {
  const { name } = claim.metadata;
  if (storage === undefined) {
    return [forbidden("spec.storage", `cannot be absent: the data is on PersistentVolumeClaim ${name}; put it back`)];
  }
  const { storageClassName, resources } = claim.spec ?? {};
  const { storageClassName: wanted } = storage;
  const isOther = wanted !== undefined && wanted !== (storageClassName ?? "");
  return [
    ...sizeFaults(storage.size, resources?.requests?.storage ?? storage.size),
    ...(isOther ? [forbidden("spec.storage.storageClassName", `is immutable: it is "${storageClassName ?? ""}"`)] : []),
  ];
}

/** Whether a Pod without our hands on it yet must be told apart: kopf made it, for this very Database. */
export function isMadeByKopf(pod: Pod | undefined, identity: Identity): boolean {
  return pod !== undefined && ownershipOf(pod, identity) === "kopf";
}

/** The version that the files of the server have; a spec that names none keeps it, whatever the default becomes. Pure. */
export function storedVersion({ pod, claim }: Children, owner: Owner): string | undefined {
  return [claim, pod].filter((child) => child !== undefined && ownershipOf(child, owner) === "ours")
    .map((child) => child?.metadata.annotations?.[SERVER_VERSION])
    .find((version) => version !== undefined);
}

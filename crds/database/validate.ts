import { isObject } from "../decode_fields.ts";
import { type FieldError, forbidden, invalid } from "../field_error.ts";
import { DEFAULT_LOGIN } from "./default.ts";
import { parseQuantity } from "./quantity.ts";
import { DATABASE_TYPES, type DatabaseSpec } from "./types.ts";
import { compareVersions, defaultVersion, parseVersion } from "./version.ts";

/** A Service cannot have any other name. */
const RFC_1035_LABEL = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Faults of a name that names a Pod, a Service and a label too. */
export function validateDatabaseName(name: string): readonly FieldError[] {
  if (RFC_1035_LABEL.test(name)) return [];
  const rule = "must be at most 63 lower-case letters, digits and dashes, begin with a letter and not end with a dash";
  return [invalid("metadata.name", `${rule}: the Service has the same name`)];
}

/**
 * Denies another type, both specs as they came: another fault of the object must not hide a changed type.
 * A type that nobody knows may be corrected, since nothing was made for it.
 */
export function validateDatabaseUpdate(spec: unknown, old: unknown): readonly FieldError[] {
  const [type, before] = [knownTypeOf(spec), knownTypeOf(old)];
  if (type === undefined || before === undefined || type === before) return [];
  return [forbidden("spec.type", `is immutable: it is "${before}"; create another Database to use "${type}"`)];
}

/** Denies what the data of a server does not survive, between two specs of one type. */
export function validateDatabaseChange(spec: DatabaseSpec, old: DatabaseSpec): readonly FieldError[] {
  if (spec.type !== old.type) return [];
  return [...storageFaults(spec, old), ...authFaults(spec, old), ...versionFaults(spec, versionOf(old))];
}

/** Denies another major version and every downgrade, unless whoever asks moves the data. */
export function versionFaults(spec: DatabaseSpec, before: string): readonly FieldError[] {
  const [from, to] = [parseVersion(spec.type, before), parseVersion(spec.type, versionOf(spec))];
  if (from === undefined || to === undefined || spec.upgradePolicy.major === "Manual") return [];
  const manual = "set upgradePolicy.major: Manual if you move the data yourself";
  switch (compareVersions(from, to)) {
    case "major":
      return [forbidden("spec.version", `${from.text} to ${to.text} is another major version: ${manual}`)];
    case "downgrade":
      return [forbidden("spec.version", `${from.text} to ${to.text} is a downgrade: ${manual}`)];
    case "minor":
    case "none":
      return [];
  }
}

/** The version that a spec asks for. */
export function versionOf({ type, version }: DatabaseSpec): string {
  return version ?? defaultVersion(type);
}

/** Denies a smaller volume and another storage class, both as they are asked for and as they are. */
export function sizeFaults(wanted: string, actual: string): readonly FieldError[] {
  const [next, before] = [parseQuantity(wanted), parseQuantity(actual)];
  if (next === undefined || before === undefined || next >= before) return [];
  return [forbidden("spec.storage.size", `cannot shrink from ${actual} to ${wanted}: a volume only grows`)];
}

/** Warnings about what the user may not expect. */
export function databaseWarnings(spec: DatabaseSpec): readonly string[] {
  const { resources } = spec.pod;
  const limits = isObject(resources) && isObject(resources["limits"]) ? resources["limits"] : {};
  return [
    ...(spec.storage === undefined ? ["spec.storage is absent: the data is lost whenever the Pod is replaced"] : []),
    ...(resources !== undefined && limits["memory"] === undefined
      ? ["spec.resources has no memory limit: the server may take what others on its node need"]
      : []),
  ];
}

function storageFaults({ storage }: DatabaseSpec, { storage: old }: DatabaseSpec): readonly FieldError[] {
  if (old === undefined) return [];
  if (storage === undefined) {
    return [forbidden("spec.storage", "cannot be removed: the data is on the volume; create another Database instead")];
  }
  const sameClass = storage.storageClassName === old.storageClassName;
  const classFaults = sameClass ? [] : [forbidden("spec.storage.storageClassName", "is immutable")];
  return [...sizeFaults(storage.size, old.size), ...classFaults];
}

/** The images read all of this at the first start only. */
function authFaults({ auth }: DatabaseSpec, { auth: old }: DatabaseSpec): readonly FieldError[] {
  const changed = [
    ["database", auth.database ?? DEFAULT_LOGIN, old.database ?? DEFAULT_LOGIN],
    ["username", auth.username ?? DEFAULT_LOGIN, old.username ?? DEFAULT_LOGIN],
    ["secretRef", auth.secretName, old.secretName],
  ].filter(([, now, before]) => now !== before);
  return changed.map(([field]) =>
    forbidden(`spec.auth.${field}`, "is immutable: the server reads it at its first start only")
  );
}

function knownTypeOf(spec: unknown): string | undefined {
  const type = isObject(spec) ? spec["type"] : undefined;
  return DATABASE_TYPES.find((each) => each === type);
}

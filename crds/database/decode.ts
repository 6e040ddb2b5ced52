import { compact, FieldReader, isObject } from "../decode_fields.ts";
import { type Decoded, invalid, notSupported, required, typeInvalid } from "../field_error.ts";
import { isObjectName } from "../object_name.ts";
import { decodeAllowedTables } from "./allowed_tables.ts";
import { decodePodSettings, decodeStringMap } from "./decode_pod.ts";
import { parseQuantity } from "./quantity.ts";
import {
  type AuthSpec,
  DATABASE_TYPES,
  type DatabaseSpec,
  type DatabaseType,
  DELETION_POLICIES,
  SERVICE_TYPES,
  type ServiceSpec,
  type StorageSpec,
  type UpgradePolicy,
} from "./types.ts";
import { majorsOf, parseVersion } from "./version.ts";

const FIELDS = [
  ...["type", "version", "image", "imagePullSecrets", "auth", "storage", "service", "resources", "podSecurityContext"],
  ...["nodeSelector", "tolerations", "affinity", "priorityClassName", "podLabels", "podAnnotations", "upgradePolicy"],
  ...["deletionPolicy", "networkPolicy", "allowedTables", "suspend"],
];

/** Reads the spec of a Database. */
export function decodeDatabaseSpec(spec: unknown): Decoded<DatabaseSpec> {
  if (spec !== undefined && spec !== null && !isObject(spec)) {
    return { ok: false, errors: [typeInvalid("spec", "an object", spec)] };
  }
  const reader = new FieldReader(spec ?? {}, "spec", []);
  reader.denyUnknown(FIELDS);
  const type = decodeType(reader);
  const decoded = {
    version: type === undefined ? undefined : decodeVersion(reader, type),
    image: decodeImage(reader),
    imagePullSecrets: decodeNames(reader),
    auth: decodeAuth(reader, type),
    storage: decodeStorage(reader),
    service: decodeService(reader),
    pod: decodePodSettings(reader),
    upgradePolicy: decodeUpgradePolicy(reader),
    deletionPolicy: reader.optionalEnum("deletionPolicy", DELETION_POLICIES),
    networkPolicy: decodeNetworkPolicy(reader),
    allowedTables: decodeAllowedTables(reader),
    suspend: reader.optionalBoolean("suspend") ?? false,
  };
  return type === undefined || reader.errors.length > 0
    ? { ok: false, errors: reader.errors }
    : { ok: true, value: compact({ type, ...decoded }) as DatabaseSpec };
}

function decodeType(reader: FieldReader): DatabaseSpec["type"] | undefined {
  const value = reader.raw("type");
  const type = DATABASE_TYPES.find((each) => each === value);
  if (type !== undefined) return type;
  reader.errors.push(
    value === undefined || value === null || value === ""
      ? required(reader.path("type"), `must be one of ${DATABASE_TYPES.join(", ")}`)
      : notSupported(reader.path("type"), value, DATABASE_TYPES),
  );
  return undefined;
}

function decodeVersion(reader: FieldReader, type: DatabaseType): string | undefined {
  const value = reader.raw("version");
  // YAML reads 18 as a number; 8.0 would come as 8, so only what is sure is taken.
  const text = Number.isInteger(value) && type === "postgres" ? String(value) : reader.optionalString("version");
  if (text === undefined || parseVersion(type, text) !== undefined) return text;
  const known = majorsOf(type).join(", ");
  reader.errors.push(
    invalid(reader.path("version"), `"${text.slice(0, 32)}" is no version of ${type}: known are ${known}`),
  );
  return undefined;
}

function decodeImage(reader: FieldReader): string | undefined {
  const image = reader.optionalString("image");
  if (image === undefined || /^[a-z0-9][\w./:@-]{0,511}$/i.test(image)) return image;
  reader.errors.push(invalid(reader.path("image"), "must be the reference of a container image"));
  return undefined;
}

function decodeNames(reader: FieldReader): readonly { readonly name: string }[] {
  const items = reader.optionalList("imagePullSecrets", 16) ?? [];
  return items.flatMap(({ path, value }) => {
    const name = isObject(value) ? value["name"] : undefined;
    if (typeof name === "string" && isObjectName(name)) return [{ name }];
    reader.errors.push(invalid(`${path}.name`, "must be the name of a Secret"));
    return [];
  });
}

function decodeAuth(spec: FieldReader, type: DatabaseType | undefined): AuthSpec {
  const reader = spec.optionalObject("auth");
  if (reader === undefined) return {};
  reader.denyUnknown(["database", "username", "secretRef", "rotateRequestedAt"]);
  const secretName = decodeSecretRef(reader);
  const auth = {
    database: decodeLoginName(reader, "database"),
    username: decodeLoginName(reader, "username"),
    secretName,
    rotateRequestedAt: decodeRotation(reader, { type, secretName }),
  };
  return compact(auth);
}

/** Names that every server, every shell and every URL takes as they are. */
function decodeLoginName(reader: FieldReader, name: "database" | "username"): string | undefined {
  const value = reader.optionalString(name);
  if (value === undefined || /^[a-z_][a-z0-9_]{0,31}$/.test(value)) return value;
  const rule = "must be at most 32 lower-case letters, digits and underscores, and not begin with a digit";
  reader.errors.push(invalid(reader.path(name), rule));
  return undefined;
}

function decodeSecretRef(auth: FieldReader): string | undefined {
  const reader = auth.optionalObject("secretRef");
  if (reader === undefined) return undefined;
  reader.denyUnknown(["name"]);
  const name = reader.requiredString("name");
  if (name !== undefined && !isObjectName(name)) {
    reader.errors.push(invalid(reader.path("name"), "must be the name of a Secret"));
  }
  return name;
}

function decodeRotation(
  reader: FieldReader,
  { type, secretName }: { readonly type: DatabaseType | undefined; readonly secretName: string | undefined },
): string | undefined {
  const value = reader.optionalString("rotateRequestedAt");
  if (value === undefined) return undefined;
  const path = reader.path("rotateRequestedAt");
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value) &&
    !Number.isNaN(Date.parse(value));
  if (!isTime) reader.errors.push(invalid(path, "must be a time such as 2026-01-31T12:00:00Z"));
  if (type !== undefined && type !== "postgres") {
    reader.errors.push(
      invalid(path, `cannot be done for ${type}: its image reads the password at the first start only`),
    );
  }
  if (secretName !== undefined) {
    reader.errors.push(invalid(path, "cannot be done with auth.secretRef: that Secret is yours and is never written"));
  }
  return value;
}

function decodeStorage(spec: FieldReader): StorageSpec | undefined {
  const reader = spec.optionalObject("storage");
  if (reader === undefined) return undefined;
  reader.denyUnknown(["size", "storageClassName"]);
  const storageClassName = reader.optionalText("storageClassName");
  const raw = reader.raw("size");
  const size = typeof raw === "number" ? String(raw) : reader.optionalString("size");
  const bytes = size === undefined ? undefined : parseQuantity(size);
  if (raw === undefined) reader.errors.push(required(reader.path("size"), "must be a quantity such as 10Gi"));
  else if (size === undefined || bytes === undefined || bytes < 1) {
    reader.errors.push(invalid(reader.path("size"), "must be a quantity of bytes such as 10Gi"));
  }
  return compact({ size: size ?? "", storageClassName });
}

function decodeService(spec: FieldReader): ServiceSpec {
  const reader = spec.optionalObject("service");
  if (reader === undefined) return { type: "NodePort", annotations: {} };
  reader.denyUnknown(["type", "port", "annotations"]);
  const type = reader.optionalEnum("type", SERVICE_TYPES) ?? "NodePort";
  const port = reader.optionalInteger("port", { minimum: 1, maximum: 65_535 });
  return compact({ type, port, annotations: decodeStringMap(reader, "annotations") ?? {} });
}

function decodeUpgradePolicy(spec: FieldReader): UpgradePolicy {
  const reader = spec.optionalObject("upgradePolicy");
  reader?.denyUnknown(["major", "replace"]);
  return {
    major: reader?.optionalEnum("major", ["Forbid", "Manual"]) ?? "Forbid",
    replace: reader?.optionalEnum("replace", ["Never", "Now"]) ?? "Never",
  };
}

function decodeNetworkPolicy(spec: FieldReader): boolean {
  const reader = spec.optionalObject("networkPolicy");
  reader?.denyUnknown(["enabled"]);
  return reader?.optionalBoolean("enabled") ?? false;
}

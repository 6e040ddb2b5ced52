import { compact, type FieldReader } from "../decode_fields.ts";
import { invalid } from "../field_error.ts";
import { isNamespaceName, isObjectName } from "../object_name.ts";
import type { ConnectionSecretRefSpec, DatabaseRefSpec } from "./types.ts";

/** Keys of a Secret, as the API server allows them. */
const SECRET_KEY = /^[-._a-zA-Z0-9]{1,253}$/;

/** Reads `spec.databaseRef`. */
export function decodeDatabaseRef(spec: FieldReader): DatabaseRefSpec | undefined {
  const reader = spec.optionalObject("databaseRef");
  if (reader === undefined) return undefined;
  reader.denyUnknown(["name", "namespace"]);
  const name = decodeName(reader, { field: "name", what: "a Database" });
  const namespace = reader.optionalString("namespace");
  if (namespace !== undefined && !isNamespaceName(namespace)) {
    reader.errors.push(invalid(reader.path("namespace"), "must be the name of a namespace"));
  }
  return name === undefined ? undefined : compact({ name, namespace });
}

/** Reads `spec.connectionSecretRef`. */
export function decodeConnectionSecretRef(spec: FieldReader): ConnectionSecretRefSpec | undefined {
  const reader = spec.optionalObject("connectionSecretRef");
  if (reader === undefined) return undefined;
  reader.denyUnknown(["name", "key"]);
  const name = decodeName(reader, { field: "name", what: "a Secret" });
  const key = reader.optionalString("key");
  if (key !== undefined && !SECRET_KEY.test(key)) {
    reader.errors.push(invalid(reader.path("key"), "must be a key of a Secret"));
  }
  return name === undefined ? undefined : compact({ name, key });
}

function decodeName(
  reader: FieldReader,
  { field, what }: { readonly field: string; readonly what: string },
): string | undefined {
  const name = reader.requiredString(field);
  // It becomes a part of a path at the API server.
  if (name === undefined || isObjectName(name)) return name;
  reader.errors.push(invalid(reader.path(field), `must be the name of ${what}`));
  return undefined;
}

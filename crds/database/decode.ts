import { FieldReader, isObject } from "../decode_fields.ts";
import { type Decoded, notSupported, required, typeInvalid } from "../field_error.ts";
import { DATABASE_TYPES, type DatabaseSpec } from "./types.ts";

/** Reads the spec of a Database. */
export function decodeDatabaseSpec(spec: unknown): Decoded<DatabaseSpec> {
  if (spec !== undefined && spec !== null && !isObject(spec)) {
    return { ok: false, errors: [typeInvalid("spec", "an object", spec)] };
  }
  const reader = new FieldReader(spec ?? {}, "spec", []);
  reader.denyUnknown(["type"]);
  const type = decodeType(reader);
  return type === undefined || reader.errors.length > 0
    ? { ok: false, errors: reader.errors }
    : { ok: true, value: { type } };
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

import { isObject } from "../decode_fields.ts";
import { type FieldError, forbidden } from "../field_error.ts";
import { DATABASE_TYPES } from "./types.ts";

/**
 * The rules on a change from one spec to another, both as they came: another fault of the object must not hide a changed type.
 * A type that nobody knows may be corrected, since nothing was made for it.
 */
export function validateDatabaseUpdate(spec: unknown, old: unknown): readonly FieldError[] {
  const [type, before] = [knownTypeOf(spec), knownTypeOf(old)];
  if (type === undefined || before === undefined || type === before) return [];
  return [forbidden("spec.type", `is immutable: it is "${before}"; create another Database to use "${type}"`)];
}

function knownTypeOf(spec: unknown): string | undefined {
  const type = isObject(spec) ? spec["type"] : undefined;
  return DATABASE_TYPES.find((each) => each === type);
}

import { FieldReader, isObject } from "../decode_fields.ts";
import { type Decoded, describeValue, type FieldError, invalid, required, typeInvalid } from "../field_error.ts";
import { MAX_COUNT, type SampleSpec } from "./types.ts";

/** Reads the spec of a Sample; the CRD's schema may be the bare one, so nothing is taken for granted. */
export function decodeSampleSpec(spec: unknown): Decoded<SampleSpec> {
  if (spec === undefined || spec === null) return { ok: false, errors: [required("spec", "must be set")] };
  if (!isObject(spec)) return { ok: false, errors: [typeInvalid("spec", "an object", spec)] };
  const errors: FieldError[] = [];
  const reader = new FieldReader(spec, "spec", errors);
  reader.denyUnknown(["count"]);
  const count = readCount(reader.raw("count"), errors);
  return errors.length > 0 || count === undefined ? { ok: false, errors } : { ok: true, value: { count } };
}

function readCount(value: unknown, errors: FieldError[]): number | undefined {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_COUNT) return value;
  errors.push(
    value === undefined || value === null ? required("spec.count", "must be set") : invalid(
      "spec.count",
      `must be a whole number from 0 to ${MAX_COUNT}: current value is ${describeValue(value)}`,
    ),
  );
  return undefined;
}

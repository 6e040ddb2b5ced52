/** The kinds of fault that a field can have; the values are those of Kubernetes' `metav1.CauseType`. */
export type FieldErrorType =
  | "FieldValueRequired"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueDuplicate"
  | "FieldValueForbidden"
  | "FieldValueTooLong"
  | "FieldValueTypeInvalid";

/** One fault of one field of an object. It never carries a secret: details name fields, columns and types. */
export interface FieldError {
  /** Where, as users write it: `spec.columns[2].EMAIL.default`. */
  readonly path: string;
  readonly type: FieldErrorType;
  /** What is wrong and what to do instead, one sentence without a full stop. */
  readonly detail: string;
}

/** A value that was understood, or everything that is wrong with it. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/** A field that must be there and is not. */
export function required(path: string, detail: string): FieldError {
  return { path, type: "FieldValueRequired", detail };
}

/** A value that cannot be used. */
export function invalid(path: string, detail: string): FieldError {
  return { path, type: "FieldValueInvalid", detail };
}

/** A value outside a closed list. */
export function notSupported(path: string, value: unknown, supported: readonly string[]): FieldError {
  return {
    path,
    type: "FieldValueNotSupported",
    detail: `${describeValue(value)} is not one of ${supported.map((each) => `"${each}"`).join(", ")}`,
  };
}

/** A value that must be unique and is there twice. */
export function duplicate(path: string, detail: string): FieldError {
  return { path, type: "FieldValueDuplicate", detail };
}

/** A value or a change that is understood and refused. */
export function forbidden(path: string, detail: string): FieldError {
  return { path, type: "FieldValueForbidden", detail };
}

/** A value or a list above its limit. */
export function tooLong(path: string, detail: string): FieldError {
  return { path, type: "FieldValueTooLong", detail };
}

/** A value of another JSON type. */
export function typeInvalid(path: string, expected: string, value: unknown): FieldError {
  return {
    path,
    type: "FieldValueTypeInvalid",
    detail: `must be ${expected}: current value is ${describeValue(value)}`,
  };
}

/** `spec.columns[0].A: must be …`, the form in which kubectl and the status show a fault. */
export function formatFieldError(error: FieldError): string {
  return `${error.path}: ${error.detail}`;
}

/**
 * Names a value in a message without repeating it in full: at most 64 characters, control characters escaped.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(describeValue("a\u0000b"), '"a\\u0000b"');
 * assertEquals(describeValue([1, 2]), "a list");
 * ```
 */
export function describeValue(value: unknown): string {
  if (value === undefined) return "absent";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  const text = typeof value === "string" ? value : String(value);
  const shown = text.length > 64 ? `${text.slice(0, 61)}...` : text;
  return typeof value === "string" ? quoteText(shown) : shown;
}

/** Controls, marks that turn the direction of what a terminal shows, and zero-width marks: JSON leaves them as they are. */
const UNPRINTABLE = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A text in double quotes, with escapes for everything that is not seen or that changes what is seen. */
function quoteText(text: string): string {
  return JSON.stringify(text).replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

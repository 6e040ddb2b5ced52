import {
  describeValue,
  type FieldError,
  invalid,
  notSupported,
  required,
  tooLong,
  typeInvalid,
} from "./field_error.ts";

/** Named one by one; nobody mistypes more, but somebody may send a million. */
const MAX_UNKNOWN = 100;
/** Of a whole spec: when so many faults are known, unknown fields are only counted. */
const MANY_FAULTS = 1_000;

/** One item of a list, with the path that names it. */
export interface ListItem {
  readonly path: string;
  readonly value: unknown;
}

/** Reads the fields of one object of a spec and collects every fault, so that a user sees all of them at once. */
export class FieldReader {
  readonly errors: FieldError[];
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(fields: Readonly<Record<string, unknown>>, path: string, errors: FieldError[]) {
    this.#fields = fields;
    this.#path = path;
    this.errors = errors;
  }

  path(name: string): string {
    return `${this.#path}.${name}`;
  }

  /** The value as it came; `undefined` if absent, whatever the prototype holds. */
  raw(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  /** A field that nobody knows is a typing error or a feature that is not there: both must be said. */
  denyUnknown(known: readonly string[]): void {
    const unknown = Object.keys(this.#fields).filter((name) => !known.includes(name));
    const named = this.errors.length < MANY_FAULTS ? unknown.slice(0, MAX_UNKNOWN) : [];
    for (const name of named) {
      this.errors.push(invalid(`${this.#path}.${pathSegment(name)}`, `unknown field; known are ${known.join(", ")}`));
    }
    if (unknown.length === named.length) return;
    this.errors.push(invalid(this.#path, `${unknown.length - named.length} more fields are unknown`));
  }

  requiredString(name: string): string | undefined {
    return this.#isSet(name) ? this.optionalString(name) : undefined;
  }

  optionalString(name: string): string | undefined {
    const value = this.optionalText(name);
    if (value === undefined || value.trim() !== "") return value;
    this.errors.push(invalid(this.path(name), "must not be empty"));
    return undefined;
  }

  /** A string that may be empty. */
  optionalText(name: string): string | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === "string") return value;
    this.errors.push(typeInvalid(this.path(name), "a string", value));
    return undefined;
  }

  optionalBoolean(name: string): boolean | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === "boolean") return value;
    this.errors.push(typeInvalid(this.path(name), "true or false", value));
    return undefined;
  }

  optionalInteger(name: string, range: { readonly minimum: number; readonly maximum: number }): number | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const { minimum, maximum } = range;
    if (typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    this.errors.push(typeInvalid(this.path(name), `a whole number from ${minimum} to ${maximum}`, value));
    return undefined;
  }

  optionalEnum<T extends string>(name: string, members: readonly T[]): T | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const member = members.find((each) => each === value);
    if (member === undefined) this.errors.push(notSupported(this.path(name), value, members));
    return member;
  }

  /** A reader of the object in that field, with the same list of faults. */
  optionalObject(name: string): FieldReader | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    return readerOf({ path: this.path(name), value }, "an object", this.errors);
  }

  requiredObject(name: string): FieldReader | undefined {
    return this.#isSet(name) ? this.optionalObject(name) : undefined;
  }

  /** The items of a list that may be empty. */
  optionalList(name: string, maximum: number): readonly ListItem[] | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const path = this.path(name);
    if (!Array.isArray(value)) {
      this.errors.push(typeInvalid(path, "a list", value));
    } else if (value.length > maximum) {
      this.errors.push(tooLong(path, `must list at most ${maximum}: current value has ${value.length}`));
    } else {
      return value.map((item: unknown, index) => ({ path: `${path}[${index}]`, value: item }));
    }
    return undefined;
  }

  /** The items of a list that has some. */
  optionalItems(name: string, maximum: number): readonly ListItem[] | undefined {
    const items = this.optionalList(name, maximum);
    if (items?.length !== 0) return items;
    this.errors.push(invalid(this.path(name), "must not be an empty list"));
    return undefined;
  }

  /** A list of strings, none of them empty; `what` names one of them. `undefined` as soon as one is at fault. */
  optionalStrings(name: string, what: string, maximum: number): readonly string[] | undefined {
    const items = this.optionalItems(name, maximum);
    if (items === undefined) return undefined;
    const texts = items.map((item) => textOf(item, what, this.errors));
    return texts.every((text) => text !== undefined) ? texts : undefined;
  }

  requiredStrings(name: string, what: string, maximum: number): readonly string[] | undefined {
    return this.#isSet(name) ? this.optionalStrings(name, what, maximum) : undefined;
  }

  #isSet(name: string): boolean {
    const value = this.raw(name);
    if (value !== undefined && value !== null) return true;
    this.errors.push(required(this.path(name), "must be set"));
    return false;
  }
}

/** A reader of an item that must be an object. */
export function readerOf(item: ListItem, expected: string, errors: FieldError[]): FieldReader | undefined {
  if (isObject(item.value)) return new FieldReader(item.value, item.path, errors);
  errors.push(typeInvalid(item.path, expected, item.value));
  return undefined;
}

/** The text of an item; YAML makes booleans and numbers of some names. */
export function textOf(item: ListItem, what: string, errors: FieldError[]): string | undefined {
  const { path, value } = item;
  if (typeof value === "string" && value.trim() !== "") return value;
  const isScalar = typeof value === "boolean" || typeof value === "number";
  errors.push(
    typeof value === "string"
      ? invalid(path, "must not be empty")
      : typeInvalid(path, isScalar ? `${what} (quote it)` : what, value),
  );
  return undefined;
}

/** Whether a value is what JSON calls an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A key in a field path; anything but a plain word is shown in brackets, its control characters escaped. */
export function pathSegment(key: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_$]*$/.test(key) && key.length <= 64) return key;
  return `[${describeValue(key)}]`;
}

/** An object type whose fields that may be `undefined` may be absent instead. */
export type Compact<T> =
  & { [K in keyof T as undefined extends T[K] ? never : K]: T[K] }
  & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };

/** The object without the fields that are `undefined`: absent is what the spec left out. */
export function compact<T extends object>(fields: T): Compact<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Compact<T>;
}

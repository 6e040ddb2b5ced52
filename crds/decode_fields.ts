import { type FieldError, invalid, notSupported, required, typeInvalid } from "./field_error.ts";

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
    for (const name of Object.keys(this.#fields)) {
      if (!known.includes(name)) {
        this.errors.push(invalid(this.path(name), `unknown field; known are ${known.join(", ")}`));
      }
    }
  }

  requiredString(name: string): string | undefined {
    if (this.raw(name) === undefined || this.raw(name) === null) {
      this.errors.push(required(this.path(name), "must be set"));
      return undefined;
    }
    return this.optionalString(name);
  }

  optionalString(name: string): string | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (typeof value !== "string") {
      this.errors.push(typeInvalid(this.path(name), "a string", value));
      return undefined;
    }
    if (value.trim() === "") {
      this.errors.push(invalid(this.path(name), "must not be empty"));
      return undefined;
    }
    return value;
  }

  optionalBoolean(name: string): boolean | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === "boolean") return value;
    this.errors.push(typeInvalid(this.path(name), "true or false", value));
    return undefined;
  }

  optionalEnum<T extends string>(name: string, members: readonly T[]): T | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const member = members.find((each) => each === value);
    if (member === undefined) this.errors.push(notSupported(this.path(name), value, members));
    return member;
  }
}

/** Whether a value is what JSON calls an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

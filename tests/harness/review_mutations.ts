type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Numbers from 0 to below 1 that follow from the seed (mulberry32): a failure can be run again. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What stands in nobody's manual, and in every attacker's. */
const HOSTILE: readonly Json[] = [
  ...[null, true, false, 0, -1, 1.5, 1e308, 9_007_199_254_740_993, "", " ", "a", "true", "public", "default"],
  ...[
    "__proto__",
    "constructor",
    "\u0000",
    "\ud800",
    "é".repeat(40),
    "x".repeat(70),
    "'; DROP TABLE a; --",
    "${1}",
    "%s",
    "/*",
  ],
  ...[
    "integer",
    "text",
    "setof int",
    "varchar(50)",
    "Delete",
    "Forbid",
    "CREATE",
    "UPDATE",
    "DELETE",
    "CONNECT",
    "v1",
    "v1beta1",
  ],
  ...[
    "2026-01-01T00:00:00Z",
    "kopf.demo/tablewright",
    "ID",
    "id",
    "NAME",
    '"',
    '"q"',
    "A, B",
    "now()",
    "random()",
    "1 +",
    "(((",
  ],
  [],
  {},
  [[]],
  [null],
  [{}],
  { "": "" },
  { a: { b: { c: [] } } },
  [{ ID: "integer" }],
  { type: "integer" },
  { name: "a", columns: ["ID"] },
  nested(300),
];

function nested(depth: number): Json {
  let value: Json = "deep";
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Changes reviews, as structures and as bytes. */
export class ReviewMutator {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.#random() * values.length)] as T;
  }

  /** What the text says, but in one to four places. */
  structure(text: string): unknown {
    const copy = JSON.parse(text) as Json;
    const count = 1 + Math.floor(this.#random() ** 2 * 4);
    for (let index = 0; index < count; index++) this.#changeSomewhere(copy);
    return copy;
  }

  /** The text with some bytes flipped, cut off, repeated or put in; mostly no JSON any more. */
  bytes(text: string): Uint8Array<ArrayBuffer> {
    const bytes = new TextEncoder().encode(text);
    const at = Math.floor(this.#random() * bytes.length);
    const length = Math.floor(this.#random() ** 3 * 64);
    switch (this.pick(["flip", "cut", "remove", "repeat", "insert", "swap"] as const)) {
      case "flip":
        bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(this.#random() * 8));
        return bytes;
      case "cut":
        return bytes.slice(0, at);
      case "remove":
        return join(bytes.subarray(0, at), bytes.subarray(at + length));
      case "repeat":
        return join(bytes.subarray(0, at + length), bytes.subarray(at));
      case "insert":
        return join(bytes.subarray(0, at), this.#noise(length), bytes.subarray(at));
      case "swap":
        // Between two quotes: still JSON, another word.
        bytes[at] = 97 + Math.floor(this.#random() * 26);
        return bytes;
    }
  }

  #noise(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.#random() * 256));
  }

  #changeSomewhere(root: Json): void {
    const places = placesOf(root);
    // Nothing is left of it.
    if (places.length === 0) return;
    const [holder, key] = this.pick(places);
    if (Array.isArray(holder)) return this.#changeItem(holder, Number(key));
    switch (this.pick(["replace", "replace", "remove", "add", "rename", "borrow"] as const)) {
      case "replace":
        holder[key] = this.#value();
        return;
      case "remove":
        delete holder[key];
        return;
      case "add":
        // As JSON.parse does it: an own property also where the name is `__proto__`.
        define(holder, String(this.pick(HOSTILE.filter((each) => typeof each === "string"))), this.#value());
        return;
      case "rename":
        define(holder, this.pick(places)[1], holder[key] ?? null);
        delete holder[key];
        return;
      case "borrow": {
        const [other, name] = this.pick(places);
        holder[key] = structuredClone((other as Record<string, Json>)[name] ?? null);
      }
    }
  }

  #changeItem(list: Json[], index: number): void {
    switch (this.pick(["replace", "remove", "repeat", "empty"] as const)) {
      case "replace":
        list[index] = this.#value();
        return;
      case "remove":
        list.splice(index, 1);
        return;
      case "repeat":
        list.push(structuredClone(list[index] ?? null));
        return;
      case "empty":
        list.length = 0;
    }
  }

  #value(): Json {
    return structuredClone(this.pick(HOSTILE));
  }
}

type Holder = { [key: string]: Json } | Json[];

function placesOf(root: Json): (readonly [Holder, string])[] {
  const places: (readonly [Holder, string])[] = [];
  const visit = (value: Json, depth: number) => {
    if (typeof value !== "object" || value === null || depth > 12) return;
    for (const [key, child] of Object.entries(value)) {
      places.push([value, key]);
      visit(child, depth + 1);
    }
  };
  visit(root, 0);
  return places;
}

function define(holder: Holder, key: string, value: Json): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

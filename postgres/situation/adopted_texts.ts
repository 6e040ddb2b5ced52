import type { Relation } from "../catalog/relation.ts";
import { expressionKey, type Expressions } from "../registry/expressions.ts";
import { partOfIndex, textsOfIndex } from "../registry/trace.ts";
import type { Table } from "../table.ts";
import { namesInExpression } from "../text/canonical_expression.ts";
import { comparableExpression } from "../text/comparable_expression.ts";
import type { Sketch } from "./scratch.ts";

/** By {@linkcode printKey}: what a server stores for what a spec declares. */
export type DeclaredPrints = ReadonlyMap<string, string>;

const NOTHING: DeclaredPrints = new Map();

/** Where a print is kept: a default means what its column is, every other expression is the same wherever it stands. */
export const printKey = {
  default: expressionKey.default,
  generated: expressionKey.generated,
  check: (text: string): string => `check ${text}`,
  index: (text: string): string => `index ${text}`,
} as const;

/**
 * What the spec declares for each stored expression that does the same. Nobody recorded how that was declared: texts are
 * compared by what they do as far as we can tell, and by what the server itself makes of the declared ones.
 */
export async function adoptedTexts(
  relation: Relation,
  desired: Table,
  prints: DeclaredPrints = NOTHING,
): Promise<Expressions> {
  const finder = new Finder(relation, prints);
  for (const { name, type, default: value, generated } of relation.columns) {
    const column = desired.columns.find((each) => each.name === name);
    // '-1' and -1 are the same default of a number, and only there.
    const asType = (text: string) => `CAST((${text}) AS ${type})`;
    await finder.note(expressionKey.default(name), value, {
      declared: [column?.default],
      keyOf: () => printKey.default(name),
      read: asType,
    });
    await finder.note(expressionKey.generated(name), generated, {
      declared: [column?.generated],
      keyOf: () => printKey.generated(name),
    });
  }
  const checks = { declared: desired.checks.map(({ expression }) => expression), keyOf: printKey.check };
  for (const { name, expression } of relation.constraints) {
    await finder.note(expressionKey.check(name), expression, checks);
  }
  const texts = {
    declared: desired.indexes.flatMap((index) => [...textsOfIndex(index).values()]),
    keyOf: printKey.index,
  };
  for (const part of relation.indexes.map(partOfIndex)) {
    for (const [place, stored] of part.texts) await finder.note(part.keyOf(place), stored, texts);
  }
  return finder.known;
}

interface Candidates {
  readonly declared: readonly (string | undefined)[];
  readonly keyOf: (text: string) => string;
  /** Around a text, before it is compared. */
  readonly read?: (text: string) => string;
}

class Finder {
  readonly known: Record<string, readonly [string, string]> = {};
  readonly #varchars: ReadonlySet<string>;
  readonly #prints: DeclaredPrints;

  constructor({ columns }: Relation, prints: DeclaredPrints) {
    this.#prints = prints;
    this.#varchars = new Set(
      columns.filter(({ type }) => type.startsWith("character varying")).map(({ name }) => name),
    );
  }

  /** Finds what was declared for a stored text. */
  async note(key: string, stored: string | undefined, { declared, keyOf, read = same }: Candidates): Promise<void> {
    if (stored === undefined) return;
    const wanted = await this.#comparable(read(stored));
    for (const text of declared) {
      if (text === undefined) continue;
      if (this.#prints.get(keyOf(text)) !== stored && await this.#comparable(read(text)) !== wanted) continue;
      this.known[key] = [text, stored];
      return;
    }
  }

  async #comparable(text: string): Promise<string> {
    return await comparableExpression(text, this.#varchars);
  }
}

function same(text: string): string {
  return text;
}

/**
 * The parts of the spec with expressions that were not found, while something stands there of which nobody knows what it was
 * declared as: only the server can tell whether one is the other. What names functions or types other than PostgreSQL's own is
 * left out: to make it could run them, and nobody has looked at them yet.
 */
export async function openSketches(relation: Relation, desired: Table, known: Expressions): Promise<readonly Sketch[]> {
  const found = new Set(Object.values(known).map(([declared]) => declared));
  const isOpen = (text: string | undefined): text is string => text !== undefined && !found.has(text);
  const isUnknown = (key: string, stored: string | undefined) => stored !== undefined && known[key] === undefined;
  const columns = relation.columns.flatMap(({ name, default: value, generated }): Sketch[] => {
    const column = desired.columns.find((each) => each.name === name);
    const [text, computed] = [column?.default, column?.generated];
    return [
      ...(text !== undefined && isUnknown(expressionKey.default(name), value)
        ? [{ kind: "default", column: name, text } as const]
        : []),
      ...(computed !== undefined && isUnknown(expressionKey.generated(name), generated)
        ? [{ kind: "generated", column: name, text: computed } as const]
        : []),
    ];
  });
  const hasChecks = relation.constraints.some(({ name, expression }) =>
    isUnknown(expressionKey.check(name), expression)
  );
  const checks = hasChecks ? desired.checks.map(({ expression }) => expression).filter(isOpen) : [];
  const hasIndexes = relation.indexes.map(partOfIndex).some(({ texts, keyOf }) =>
    [...texts].some(([place, stored]) => isUnknown(keyOf(place), stored))
  );
  const indexes = hasIndexes ? desired.indexes.filter((index) => [...textsOfIndex(index).values()].some(isOpen)) : [];
  const sketches: readonly Sketch[] = [
    ...columns,
    ...checks.map((text) => ({ kind: "check", text } as const)),
    ...indexes.map((index) => ({ kind: "index", index } as const)),
  ];
  const isOwn = await Promise.all(sketches.map(isPostgres));
  return sketches.filter((_, index) => isOwn[index]);
}

/** Whether a part names nothing that somebody added to PostgreSQL. */
async function isPostgres(sketch: Sketch): Promise<boolean> {
  const texts = sketch.kind === "index" ? [...textsOfIndex(sketch.index).values()] : [sketch.text];
  const names = await Promise.all(texts.map(namesInExpression));
  return names.every((each) =>
    each.ok && [...each.value.functions, ...each.value.operators, ...each.value.types]
      .every(({ schema = "pg_catalog" }) => schema === "pg_catalog")
  );
}

/** Puts what the server printed for a part where `adoptedTexts()` looks for it. */
export function printsOf(sketch: Sketch, printed: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  switch (sketch.kind) {
    case "default":
    case "generated":
      return [...printed.values()].map((text) => [printKey[sketch.kind](sketch.column), text]);
    case "check":
      return [...printed.values()].map((text) => [printKey.check(sketch.text), text]);
    case "index":
      return [...textsOfIndex(sketch.index)].flatMap(([place, text]) => {
        const stored = printed.get(place);
        return stored === undefined ? [] : [[printKey.index(text), stored] as const];
      });
  }
}

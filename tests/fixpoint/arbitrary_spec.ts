import fc from "fast-check";
import { parts } from "./arbitrary_parts.ts";
import type { Spec } from "./case.ts";

/** Two specs of one table, and how many rows the old one gets. */
export interface SpecPair {
  readonly old: Spec;
  readonly next: Spec;
  readonly rows: number;
  /** Whether a type changes: PostgreSQL then prints expressions in another way. */
  readonly retypes: boolean;
}

/** Types whose values become each other by an assignment; a column of a pair stays in its family. */
export type Family = "numbers" | "texts" | "times" | "documents" | "truths" | "ids";

interface FamilyOf {
  readonly types: readonly string[];
  /** Literals that every type of the family takes. */
  readonly defaults: readonly (string | number | boolean)[];
  readonly expressions: readonly string[];
}

const FAMILIES: Readonly<Record<Family, FamilyOf>> = {
  numbers: { types: ["integer", "bigint", "numeric(20,2)"], defaults: [7, 8], expressions: ["1 + 2"] },
  texts: { types: ["text", "varchar(40)", "varchar(60)"], defaults: ["a", "it's"], expressions: ["upper('b')"] },
  times: { types: ["timestamptz", "timestamptz(3)"], defaults: ["2026-01-01T00:00:00Z"], expressions: ["now()"] },
  documents: { types: ["jsonb"], defaults: ["{}"], expressions: ["jsonb_build_object('a', 1)"] },
  truths: { types: ["boolean"], defaults: [true, false], expressions: ["NOT false"] },
  ids: { types: ["uuid"], defaults: ["00000000-0000-4000-8000-000000000001"], expressions: ["gen_random_uuid()"] },
};

/** A column of a pair: what it is before and after. */
export interface Slot {
  readonly family: Family;
  readonly old: Side | undefined;
  readonly next: Side | undefined;
  readonly isRenamed: boolean;
}

/** What one spec says of a column. */
export interface Side {
  readonly type: string;
  readonly notNull: boolean;
  readonly source: "nothing" | "default" | "expression" | "identity" | "generated";
  readonly value: number;
  readonly comment: string | undefined;
}

function side(family: Family): fc.Arbitrary<Side> {
  const sources: readonly Side["source"][] = family === "numbers"
    ? ["nothing", "nothing", "default", "expression", "identity", "generated"]
    : ["nothing", "nothing", "default", "expression"];
  return fc.record({
    type: fc.constantFrom(...FAMILIES[family].types),
    notNull: fc.boolean(),
    source: fc.constantFrom(...sources),
    value: fc.nat(3),
    comment: fc.option(fc.constantFrom("one", "it's"), { nil: undefined, freq: 3 }),
  });
}

const SLOT: fc.Arbitrary<Slot> = fc.constantFrom<Family>(
  "numbers",
  "numbers",
  "numbers",
  "texts",
  "texts",
  "times",
  "documents",
  "truths",
  "ids",
)
  .chain((family) =>
    fc.record({
      family: fc.constant(family),
      old: fc.option(side(family), { nil: undefined, freq: 5 }),
      next: fc.option(side(family), { nil: undefined, freq: 5 }),
      isRenamed: fc.boolean(),
    })
  );

/** The name of a column on one side of a pair. */
export function nameOf(slot: Slot, index: number, at: "old" | "next"): string {
  const isRenamed = at === "next" && slot.isRenamed && slot.old !== undefined && slot.next !== undefined;
  return isRenamed ? `R${index}` : `C${index}`;
}

function columnOf(slot: Slot, index: number, at: "old" | "next"): Readonly<Record<string, unknown>> {
  const found = slot[at];
  if (found === undefined) return {};
  const { type, notNull, source, value, comment } = found;
  const { defaults, expressions } = FAMILIES[slot.family];
  const name = nameOf(slot, index, at);
  // Rows that are there have no value for it.
  const isBlank = at === "next" && slot.old === undefined &&
    (source === "nothing" || source === "default" && value === 3);
  const base = source === "identity" || source === "generated" ? whole(type) : type;
  return {
    [name]: {
      type: base,
      ...(notNull && !isBlank ? { notNull: true } : {}),
      ...(comment === undefined ? {} : { comment }),
      ...(name.startsWith("R") ? { renamedFrom: `C${index}` } : {}),
      ...(source === "default" ? { default: defaults[value % defaults.length] } : {}),
      ...(source === "expression" ? { defaultExpression: expressions[value % expressions.length] } : {}),
      ...(source === "identity" ? { identity: value % 2 === 0 ? "ByDefault" : "Always" } : {}),
      ...(source === "generated" ? { generatedAs: `ID * ${value + 2}` } : {}),
    },
  };
}

/** An identity column counts in whole numbers. */
function whole(type: string): string {
  return type.startsWith("numeric") ? "bigint" : type;
}

function typesDiffer({ old, next }: Slot): boolean {
  if (old === undefined || next === undefined) return false;
  const of = ({ type, source }: Side) => source === "identity" || source === "generated" ? whole(type) : type;
  return of(old) !== of(next);
}

/**
 * Pairs of specs in which the rows of the old table forbid nothing that the new spec wants, so that every failure is one of
 * the planner.
 */
export const SPEC_PAIR: fc.Arbitrary<SpecPair> = fc.array(SLOT, { minLength: 1, maxLength: 6 }).chain((slots) => {
  const columns = (at: "old" | "next") => [
    { ID: "integer" },
    ...slots.map((slot, index) => columnOf(slot, index, at)).filter((column) => Object.keys(column).length > 0),
  ];
  return fc.record({
    oldParts: parts(slots, "old"),
    nextParts: parts(slots, "next"),
    rows: fc.constantFrom(0, 20),
    online: fc.constantFrom("Prefer", "Prefer", "Never"),
    tableName: fc.constantFrom("T", "T", "T", "OTHER"),
  }).map(({ oldParts, nextParts, rows, online, tableName }) => ({
    old: { tableName: "T", columns: columns("old"), ...oldParts },
    next: { tableName, columns: columns("next"), ...nextParts, changePolicy: { online } },
    rows,
    retypes: slots.some(typesDiffer),
  }));
});

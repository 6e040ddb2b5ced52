import type { DataQuestion, QuestionColumn } from "./question.ts";

/** What the rows say to a question. No answer holds a value of a row. */
export type DataAnswer =
  | { readonly question: DataQuestion; readonly kind: "holds" }
  | {
    readonly question: DataQuestion;
    readonly kind: "violated";
    /** Rows, or values that occur more than once; at most {@linkcode MAXIMUM_COUNT}. */
    readonly count: number;
    /** There are more, or not all rows were looked at. */
    readonly more: boolean;
    /** Of values that are too long: characters or bits of the longest one that was seen. */
    readonly longest?: number;
  }
  | {
    readonly question: DataQuestion;
    readonly kind: "unknown";
    readonly reason: UnknownReason;
    /** In words, for the end of a sentence. */
    readonly why: string;
  };

/** Why nobody could tell. None of it is a reason to refuse a change. */
export type UnknownReason =
  /** There is no such table; a foreign key may wait for its target. */
  | "missing"
  | "locked"
  /** The deadline, the limit of one probe, or the caller's signal. */
  | "timeout"
  /** Not owned, not readable, or under row security. */
  | "privilege"
  /** Too large to be looked at in full. */
  | "size"
  /** Asking would run code of others, or compare otherwise than the change will. */
  | "unsafe"
  /** The database cannot be reached, or refused. */
  | "failure";

/** More are not counted. */
export const MAXIMUM_COUNT = 1_000;

/**
 * One sentence without its full stop; counts and names, never values.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const question = {
 *   kind: "nulls",
 *   column: { name: "email", shown: "email" },
 *   table: { schema: "public", name: "users" },
 *   change: { kind: "SetNotNull", column: "email" },
 * } as const;
 * const answer = { question, kind: "violated", count: 12, more: false } as const;
 * assertEquals(describeAnswer(answer), "12 rows have no value for email");
 * ```
 */
export function describeAnswer(answer: DataAnswer): string {
  switch (answer.kind) {
    case "holds":
      return describeHolding(answer.question);
    case "violated":
      return describeViolation(answer);
    case "unknown":
      return `cannot tell whether ${describeHolding(answer.question)}: ${answer.why}`;
  }
}

function describeHolding(question: DataQuestion): string {
  switch (question.kind) {
    case "nulls":
      return `every row has a value for ${question.column.shown}`;
    case "duplicates":
      return `every value of ${listOf(question.columns)} occurs once`;
    case "orphans":
      return `every value of ${listOf(question.columns)} refers to a row of ${targetOf(question.references)}`;
    case "misfits":
      return `every value of ${question.column.shown} fits the new type`;
    case "rows":
      return question.value === "none" ? "the table has no rows" : "the table has at most one row";
  }
}

function describeViolation(answer: DataAnswer & { readonly kind: "violated" }): string {
  const { question, count } = answer;
  const rows = countOf(answer, "row");
  switch (question.kind) {
    case "nulls":
      return `${rows} ${verb(count, "has", "have")} no value for ${question.column.shown}`;
    case "duplicates":
      return `${countOf(answer, "value")} of ${listOf(question.columns)} ${
        verb(count, "occurs", "occur")
      } more than once`;
    case "orphans":
      return `${rows} ${verb(count, "refers", "refer")} to no row of ${targetOf(question.references)}`;
    case "misfits":
      return describeMisfits(question, answer);
    case "rows":
      return `${rows} would have ${question.value === "none" ? "no value" : "the same value"} for ` +
        listOf(question.columns.map((shown) => ({ name: shown, shown })));
  }
}

function describeMisfits(
  { limit, column }: DataQuestion & { readonly kind: "misfits" },
  answer: DataAnswer & { readonly kind: "violated" },
): string {
  switch (limit.kind) {
    case "characters":
    case "bits": {
      const { longest = limit.maximum + 1 } = answer;
      const unit = `${limit.kind.slice(0, -1)}${longest === 1 ? "" : "s"}`;
      const least = answer.more ? "at least " : "";
      return `the longest value of ${column.shown} has ${least}${longest} ${unit}`;
    }
    case "exactBits":
      return `${countOf(answer, "value")} of ${column.shown} ${
        verb(answer.count, "does", "do")
      } not have ${limit.length} bits`;
    case "integer":
    case "numeric":
      return `${countOf(answer, "value")} of ${column.shown} ${verb(answer.count, "does", "do")} not fit ${limit.type}`;
    case "real":
      return `${countOf(answer, "value")} of ${column.shown} ${verb(answer.count, "does", "do")} not fit real`;
  }
}

function countOf({ count, more }: { readonly count: number; readonly more: boolean }, noun: string): string {
  const least = !more ? "" : count >= MAXIMUM_COUNT ? "more than " : "at least ";
  return `${least}${thousands(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function thousands(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

function verb(count: number, singular: string, plural: string): string {
  return count === 1 ? singular : plural;
}

function listOf(columns: readonly QuestionColumn[]): string {
  const names = columns.map((column) => column.shown);
  return names.length === 1 ? names.join() : `(${names.join(", ")})`;
}

function targetOf({ schema, table }: { readonly schema: string; readonly table: string }): string {
  return `${schema}.${table}`;
}

import type { Relation } from "../../../postgres/catalog/catalog.ts";
import type { Statement } from "../../../postgres/statement/statement.ts";
import type { Step } from "../../../postgres/plan/step.ts";

/** kubectl prints one warning a line; the API conventions ask for at most 120 characters each. */
const MAX_LINE = 120;
const MAX_BYTES = 3_200;

/**
 * The plan as warnings: every statement in full, folded at commas where it is longer than a line, each with the locks it
 * takes on existing tables and what it does to them; at the end the size of the table that all of it touches.
 *
 * @param relation The table as it stands; `undefined` for one that is to be made, or that nobody can look at.
 */
export function previewLines(
  steps: readonly Step[],
  relation: Pick<Relation, "schema" | "name" | "rowEstimate"> | undefined,
): readonly string[] {
  const lines = steps.flatMap(({ statements }) =>
    statements.flatMap((statement) => withEffect(foldStatement(statement.sql), statement))
  );
  if (relation === undefined || lines.length === 0) return bounded(lines);
  const { schema, name, rowEstimate } = relation;
  const rows = rowEstimate === undefined ? "an unknown number of rows (never analyzed)" : `about ${rowEstimate} rows`;
  return [...bounded(lines), `-- ${schema}.${name} has ${rows}`];
}

/** All warnings of a review together have 4,096 bytes; some are kept for others than these. */
function bounded(lines: readonly string[]): readonly string[] {
  const encoder = new TextEncoder();
  let bytes = 0;
  const end = lines.findIndex((line) => (bytes += encoder.encode(line).length) > MAX_BYTES);
  if (end < 0) return lines;
  return [
    ...lines.slice(0, end),
    `-- and ${lines.length - end} more lines: status.plan has every statement until it has run`,
  ];
}

/** The comment goes behind the statement: clients leave out a warning that repeats another one. */
function withEffect(lines: readonly string[], statement: Statement): readonly string[] {
  if (statement.locks.length === 0) return lines;
  const effect = ` -- ${describeLocks(statement)}, ${describeWork(statement)}`;
  const last = lines.at(-1) ?? "";
  return last.length + effect.length <= MAX_LINE
    ? [...lines.slice(0, -1), last + effect]
    : [...lines, ...foldStatement(` ${effect}`)];
}

function describeLocks({ locks }: Statement): string {
  return locks.map(({ mode, table }, index) => index === 0 ? `${mode} lock` : `${mode} lock on ${table}`).join(", ");
}

function describeWork(statement: Statement): string {
  if (statement.rewrites) return "rewrites the table";
  return statement.rebuildsIndexes ? "no rewrite, rebuilds indexes" : "no rewrite";
}

/**
 * Breaks a statement behind commas into lines of at most 120 characters; a single longer part is cut with an ellipsis.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(foldStatement("DROP TABLE t"), ["DROP TABLE t"]);
 * ```
 */
export function foldStatement(sql: string): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const part of sql.split(/(?<=, )/)) {
    const indent = lines.length === 0 ? "" : "  ";
    if (line !== "" && (line + part).trimEnd().length > MAX_LINE) {
      lines.push(line.trimEnd());
      line = "  " + part;
    } else {
      line = line === "" ? indent + part : line + part;
    }
  }
  lines.push(line.trimEnd());
  return lines.map((each) => each.length <= MAX_LINE ? each : `${each.slice(0, MAX_LINE - 1)}…`);
}

import type { Statement } from "../../postgres/statement.ts";
import type { Table } from "../../postgres/table.ts";

/** kubectl prints one warning a line; the API conventions ask for at most 120 characters each. */
const MAX_LINE = 120;

/**
 * The plan as warnings: every statement in full, folded at commas where it is longer than a line, each with the lock it
 * takes on an existing table and whether it rewrites it; at the end the size of the table that all of it touches.
 *
 * @param rowEstimate Rows of the table, `undefined` if nobody knows.
 */
export function previewLines(
  statements: readonly Statement[],
  table: Pick<Table, "schema" | "name">,
  rowEstimate: number | undefined,
): readonly string[] {
  const lines = statements.flatMap((statement) => withEffect(foldStatement(statement.sql), statement));
  if (statements.every((statement) => statement.lock === undefined)) return lines;
  const rows = rowEstimate === undefined ? "an unknown number of rows (never analyzed)" : `about ${rowEstimate} rows`;
  return [...lines, `-- ${table.schema}.${table.name} has ${rows}`];
}

/** The comment goes behind the statement: clients leave out a warning that repeats another one. */
function withEffect(lines: readonly string[], statement: Statement): readonly string[] {
  if (statement.lock === undefined) return lines;
  const effect = ` -- ${statement.lock} lock, ${statement.rewrites ? "rewrites the table" : "no rewrite"}`;
  const last = lines.at(-1) ?? "";
  return last.length + effect.length <= MAX_LINE ? [...lines.slice(0, -1), last + effect] : [...lines, ` ${effect}`];
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

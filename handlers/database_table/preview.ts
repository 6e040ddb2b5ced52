import type { Statement } from "../../postgres/statement.ts";
import type { Table } from "../../postgres/table.ts";

/** kubectl prints one warning a line; the API conventions ask for at most 120 characters each. */
const MAX_LINE = 120;

/**
 * The plan as warnings: every statement in full, folded at commas where it is longer than a line, and behind each one
 * that touches an existing table what it does to others.
 *
 * @param rowEstimate Rows of the table, `undefined` if nobody knows.
 */
export function previewLines(
  statements: readonly Statement[],
  table: Pick<Table, "schema" | "name">,
  rowEstimate: number | undefined,
): readonly string[] {
  return statements.flatMap((statement) => [
    ...foldStatement(statement.sql),
    ...(statement.lock === undefined ? [] : [describeEffect(statement, table, rowEstimate)]),
  ]);
}

function describeEffect(statement: Statement, table: Pick<Table, "schema" | "name">, rows: number | undefined): string {
  const size = rows === undefined ? "row count unknown" : `about ${rows} rows`;
  const rewrite = statement.rewrites ? "rewrites the table" : "no rewrite";
  return `-- ${statement.lock} lock on ${table.schema}.${table.name}, ${rewrite}, ${size}`;
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

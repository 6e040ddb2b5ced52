import type { Database, TransactionOptions } from "./session/client.ts";
import { PostgresError } from "./session/errors.ts";
import type { Column } from "./table.ts";

/** What the server itself says of a column: its type is unknown, or its default is no value of that type. */
export interface ColumnFault {
  readonly column: string;
  readonly part: "type" | "default";
  readonly sqlstate: string;
}

/** Whether only the server can tell if the column is possible: its type is not built in, or its default is text. */
export function needsProbe(column: Column): boolean {
  return column.type.includes('"') || /^E?'/.test(column.default ?? "");
}

/**
 * Asks the server about types and literal defaults by Parse and Describe: nothing is executed. One statement tells that
 * all are good; only after a refusal is each one asked by itself.
 *
 * @throws {PostgresError} if the server cannot be asked.
 */
export async function probeColumns(
  database: Database,
  columns: readonly Column[],
  options: Omit<TransactionOptions, "readOnly">,
): Promise<readonly ColumnFault[]> {
  if (columns.length === 0) return [];
  const all = columns.map((column) => castOf(column)).join(", ");
  if (await refusalOf(database, `SELECT ${all}`, options) === undefined) return [];
  const faults: ColumnFault[] = [];
  for (const column of columns) {
    const type = await refusalOf(database, `SELECT CAST(NULL AS ${column.type})`, options);
    if (type !== undefined) {
      faults.push({ column: column.name, part: "type", sqlstate: type });
      continue;
    }
    const value = await refusalOf(database, `SELECT ${castOf(column)}`, options);
    if (value !== undefined) faults.push({ column: column.name, part: "default", sqlstate: value });
  }
  return faults;
}

function castOf(column: Column): string {
  return `CAST(${column.default ?? "NULL"} AS ${column.type})`;
}

/** The SQLSTATE of a refusal of the text itself (classes 22, 42 and 0A); anything else is thrown. */
async function refusalOf(
  database: Database,
  sql: string,
  options: Omit<TransactionOptions, "readOnly">,
): Promise<string | undefined> {
  try {
    await database.transaction({ ...options, readOnly: true }, (transaction) => transaction.describe(sql));
    return undefined;
  } catch (error) {
    if (error instanceof PostgresError && /^(22|42|0A|3F)/.test(error.sqlstate ?? "")) return error.sqlstate ?? "";
    throw error;
  }
}

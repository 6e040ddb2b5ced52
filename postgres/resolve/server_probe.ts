import type { Database, TransactionOptions } from "../session/client.ts";
import { PostgresError } from "../session/errors.ts";
import type { Column } from "../table.ts";

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
 * all are good; after a refusal each half is asked by itself, so that one fault among many is found in a few statements.
 *
 * @throws {PostgresError} if the server cannot be asked.
 */
export async function probeColumns(
  database: Database,
  columns: readonly Column[],
  options: Omit<TransactionOptions, "readOnly">,
): Promise<readonly ColumnFault[]> {
  const [column] = columns;
  if (column === undefined) return [];
  const sqlstate = await refusalOf(database, `SELECT ${columns.map(castOf).join(", ")}`, options);
  if (sqlstate === undefined) return [];
  if (columns.length === 1) {
    const type = await refusalOf(database, `SELECT CAST(NULL AS ${column.type})`, options);
    return [{ column: column.name, part: type === undefined ? "default" : "type", sqlstate: type ?? sqlstate }];
  }
  const middle = Math.ceil(columns.length / 2);
  return [
    ...await probeColumns(database, columns.slice(0, middle), options),
    ...await probeColumns(database, columns.slice(middle), options),
  ];
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

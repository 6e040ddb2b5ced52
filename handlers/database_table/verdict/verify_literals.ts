import { type FieldError, invalid } from "../../../crds/field_error.ts";
import { type ColumnFault, needsProbe, probeColumns } from "../../../postgres/resolve/server_probe.ts";
import type { Database, TransactionOptions } from "../../../postgres/session/client.ts";
import type { Column, Table } from "../../../postgres/table.ts";
import { unknownTypeFault } from "../../../postgres/text/type_hint.ts";
import type { DesiredTable } from "../spec/desired.ts";

/** Types that the database does not have, and literal defaults that are no value of their type; new columns only. */
export async function literalFaults(
  database: Database,
  { desired, previous }: { readonly desired: DesiredTable; readonly previous: Table | undefined },
  limits: Omit<TransactionOptions, "readOnly">,
): Promise<readonly FieldError[]> {
  const fresh = columnsToProbe(desired, previous);
  return (await probeColumns(database, fresh, limits)).map((fault) => columnError(fault, desired));
}

/** Columns of which only the server can tell whether their types and literals are any. */
export function columnsToProbe({ table }: DesiredTable, previous: Table | undefined): readonly Column[] {
  return (table?.columns ?? []).filter((column) => needsProbe(column) && isOther(column, previous));
}

/** Whether a column has a type or a default that it did not have before. */
function isOther(column: Column, previous: Table | undefined): boolean {
  const before = previous?.columns.find((each) => each.name === column.name);
  return before?.type !== column.type || before.default !== column.default;
}

function columnError(fault: ColumnFault, desired: DesiredTable): FieldError {
  const paths = desired.columnPaths.get(fault.column);
  const column = desired.table?.columns.find((each) => each.name === fault.column);
  const type = column?.type ?? "";
  if (fault.part === "type") {
    return invalid(
      paths?.typePath ?? "spec.columns",
      `${unknownTypeFault(unquoted(type))}; for a type of an extension, or of your own, write schema.name`,
    );
  }
  return invalid(
    `${paths?.path ?? "spec.columns"}.default`,
    `${column?.default ?? ""} is not a value of type ${type} (SQLSTATE ${fault.sqlstate})`,
  );
}

/** A name as the user wrote it, where that is plain. */
function unquoted(type: string): string {
  return /^"[a-z_0-9]+"(\[\])?$/.test(type) ? type.replaceAll('"', "") : type;
}

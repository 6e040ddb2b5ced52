import { compact } from "../../../crds/decode_fields.ts";
import type { Table } from "../../../postgres/table.ts";
import { printColumn } from "./print_column.ts";
import { printName } from "./print_name.ts";
import { printCheck, type PrintedPart, printForeignKey, printIndex, printUnique } from "./print_parts.ts";
import type { NamedPart, Omission, PrintedSpec } from "./table_spec.ts";

/**
 * A table as a spec that takes it over as it is. Pure; whether the spec really plans nothing, only the judge knows.
 *
 * @returns `undefined` for a table without a primary key: no spec has none.
 */
export function printSpec(table: Table): PrintedSpec | undefined {
  const { schema, name, comment, columns, primaryKey } = table;
  if (primaryKey === undefined) return undefined;
  const parts = {
    uniqueConstraints: table.uniques.map(printUnique),
    checks: table.checks.map(printCheck),
    foreignKeys: table.foreignKeys.map(printForeignKey),
    indexes: table.indexes.map(printIndex),
  };
  const spec = compact({
    tableName: printName(name),
    schema: schema === "public" ? undefined : printName(schema),
    comment,
    columns: columns.map((column) => printColumn(column, table)),
    primaryKey: primaryKey.columns.map(printName),
    uniqueConstraints: partsOf(parts.uniqueConstraints),
    checks: partsOf(parts.checks),
    foreignKeys: partsOf(parts.foreignKeys),
    indexes: partsOf(parts.indexes),
    adoptionPolicy: "IfIdentical" as const,
    deletionPolicy: "Retain" as const,
  });
  return { spec, omissions: [...Object.values(parts).flatMap(omissionsOf), ...unmanagedOf(table)] };
}

function partsOf(printed: readonly PrintedPart[]): readonly NamedPart[] | undefined {
  const parts = printed.flatMap((each) => each.ok ? [each.part] : []);
  return parts.length === 0 ? undefined : parts;
}

function omissionsOf(printed: readonly PrintedPart[]): readonly Omission[] {
  return printed.flatMap((each) => each.ok ? [] : [each.omission]);
}

function unmanagedOf({ unmanaged }: Table): readonly Omission[] {
  return unmanaged.map(({ kind, name }) => ({
    what: `${kind} "${name}"`,
    why: "no field of a spec says it; it stays as it is",
  }));
}

import type { Check, Column, ForeignKey, Index, Table } from "../table.ts";
import { renameColumnInExpression } from "../text/parse_expression.ts";

type Rename = { readonly from: string; readonly to: string };

/** The table as it is after some of its columns were renamed: PostgreSQL carries a new name into everything that uses it. */
export async function renameColumns(table: Table, renames: readonly Rename[]): Promise<Table> {
  let renamed = table;
  for (const rename of renames) renamed = await renameColumn(renamed, rename);
  return renamed;
}

async function renameColumn(table: Table, rename: Rename): Promise<Table> {
  const name = (column: string) => column === rename.from ? rename.to : column;
  const names = (columns: readonly string[]) => columns.map(name);
  const rewrite = (text: string) => renameColumnInExpression(text, rename.from, rename.to);
  return {
    ...table,
    columns: await Promise.all(table.columns.map((column) => renameInColumn(column, name, rewrite))),
    ...(table.primaryKey === undefined
      ? {}
      : { primaryKey: { ...table.primaryKey, columns: names(table.primaryKey.columns) } }),
    uniques: table.uniques.map((unique) => ({ ...unique, columns: names(unique.columns) })),
    checks: await Promise.all(
      table.checks.map(async (check): Promise<Check> => ({ ...check, expression: await rewrite(check.expression) })),
    ),
    foreignKeys: table.foreignKeys.map((key) => renameInForeignKey(key, table, names)),
    indexes: await Promise.all(table.indexes.map((index) => renameInIndex(index, name, rewrite))),
  };
}

async function renameInColumn(
  column: Column,
  name: (column: string) => string,
  rewrite: (text: string) => Promise<string>,
): Promise<Column> {
  const renamed = { ...column, name: name(column.name) };
  return column.generated === undefined ? renamed : { ...renamed, generated: await rewrite(column.generated) };
}

/** A key of the table to itself names its columns on both sides. */
function renameInForeignKey(
  key: ForeignKey,
  table: Table,
  names: (columns: readonly string[]) => readonly string[],
): ForeignKey {
  const { references } = key;
  const isSelf = references.schema === table.schema && references.table === table.name;
  const target = isSelf ? { ...references, columns: names(references.columns) } : references;
  return { ...key, columns: names(key.columns), references: target };
}

async function renameInIndex(
  index: Index,
  name: (column: string) => string,
  rewrite: (text: string) => Promise<string>,
): Promise<Index> {
  const keys = await Promise.all(index.keys.map(async (key) => ({
    ...key,
    ...(key.column === undefined ? {} : { column: name(key.column) }),
    ...(key.expression === undefined ? {} : { expression: await rewrite(key.expression) }),
  })));
  const renamed = { ...index, keys, include: index.include.map(name) };
  return index.where === undefined ? renamed : { ...renamed, where: await rewrite(index.where) };
}

import type { Column, Index, Table } from "../table.ts";
import { qualifyTypesInExpression } from "../text/parse_expression.ts";
import { quoteIdentifier } from "../text/identifier.ts";

/**
 * The table with a schema before each type that has none and is not PostgreSQL's own: of columns, and of casts in
 * expressions. So it can be compared with what the catalog holds, and its SQL needs no search path for types.
 *
 * @param schemas By name, as `judgeTypes()` found them.
 */
export async function qualifyTypes(table: Table, schemas: ReadonlyMap<string, string>): Promise<Table> {
  if (schemas.size === 0) return table;
  const rewrite = (text: string) => qualifyTypesInExpression(text, schemas);
  return {
    ...table,
    columns: await Promise.all(table.columns.map((column) => qualifyColumn(column, schemas))),
    checks: await Promise.all(
      table.checks.map(async (check) => ({ ...check, expression: await rewrite(check.expression) })),
    ),
    indexes: await Promise.all(table.indexes.map((index) => qualifyIndex(index, rewrite))),
  };
}

/** What `printType()` gives for a name that it had to quote. */
const UNQUALIFIED = /^"((?:[^"]|"")+)"(?!\.)/;

/** As `qualifyTypes()`, of one type that `printType()` gave. */
export function qualifyType(type: string, schemas: ReadonlyMap<string, string>): string {
  const schema = schemas.get((UNQUALIFIED.exec(type)?.[1] ?? "").replaceAll('""', '"'));
  // `"char"` and `"bit"` are quoted too, and PostgreSQL's own: nobody looks them up.
  return schema === undefined ? type : `${quoteIdentifier(schema)}.${type}`;
}

async function qualifyColumn(column: Column, schemas: ReadonlyMap<string, string>): Promise<Column> {
  const { default: value, generated } = column;
  return {
    ...column,
    type: qualifyType(column.type, schemas),
    ...(value === undefined ? {} : { default: await qualifyTypesInExpression(value, schemas) }),
    ...(generated === undefined ? {} : { generated: await qualifyTypesInExpression(generated, schemas) }),
  };
}

async function qualifyIndex(index: Index, rewrite: (text: string) => Promise<string>): Promise<Index> {
  const keys = await Promise.all(
    index.keys.map(async (key) =>
      key.expression === undefined ? key : { ...key, expression: await rewrite(key.expression) }
    ),
  );
  return { ...index, keys, ...(index.where === undefined ? {} : { where: await rewrite(index.where) }) };
}

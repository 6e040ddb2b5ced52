import { compact } from "../../../crds/decode_fields.ts";
import { type Column, findColumn, type Table } from "../../../postgres/table.ts";
import type { DesiredTable } from "./desired.ts";
import type { StatedAttribute } from "./desired_column.ts";

/**
 * What a spec asks of a table that was there before it: whatever the spec leaves out of a column stays as it is. (On a
 * table of our own what is left out is none.)
 *
 * @param observed With the renames of the spec already in it.
 */
export function adoptedTable(desired: DesiredTable, observed: Table): Table | undefined {
  const { table, stated, statesComment } = desired;
  if (table === undefined) return undefined;
  const keyed = new Set(table.primaryKey?.columns);
  const columns = table.columns.map((column) => {
    const before = findColumn(observed, column.name);
    if (before === undefined) return column;
    const adopted = adoptedColumn(column, before, stated.get(column.name) ?? new Set());
    return keyed.has(column.name) ? { ...adopted, notNull: true } : adopted;
  });
  return compact({ ...table, comment: statesComment ? table.comment : observed.comment, columns });
}

function adoptedColumn(column: Column, before: Column, stated: ReadonlySet<StatedAttribute>): Column {
  const value = stated.has("value") ? column : before;
  return compact({
    name: column.name,
    type: column.type,
    notNull: stated.has("notNull") ? column.notNull : before.notNull,
    default: value.default,
    identity: value.identity,
    generated: value.generated,
    // That of another type means nothing here.
    collation: stated.has("collation") || column.type !== before.type ? column.collation : before.collation,
    comment: stated.has("comment") ? column.comment : before.comment,
  });
}

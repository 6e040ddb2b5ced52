import type { SchemaChange } from "../change.ts";
import { namesInExpression } from "../text/canonical_expression.ts";
import type { Index, Table } from "../table.ts";

/** The first version that can change what a column is computed from; before, the column is dropped and added in one statement. */
const SETS_EXPRESSIONS = 17;

/** Columns that the changes drop and add: what hangs on them goes with them. */
export function replacedColumns(changes: readonly SchemaChange[], version: number): readonly string[] {
  if (version >= SETS_EXPRESSIONS) return [];
  return changes.flatMap((change) => change.kind === "SetExpression" ? [change.column.name] : []);
}

/** A column of a key that goes with a replaced one can be null only behind that. */
export function nullableLast(changes: readonly SchemaChange[]): readonly SchemaChange[] {
  const last = changes.findLastIndex(({ kind }) => kind === "SetExpression");
  const [before, after] = [changes.slice(0, last + 1), changes.slice(last + 1)];
  const isNullable = ({ kind }: SchemaChange) => kind === "DropNotNull";
  return [...before.filter((change) => !isNullable(change)), ...before.filter(isNullable), ...after];
}

/** The table as it is when these columns were dropped and added again: without what named one of them. */
export async function withoutDependents(table: Table, columns: readonly string[]): Promise<Table> {
  const isFree = (names: readonly string[]) => !names.some((name) => columns.includes(name));
  const isFreeText = async (text: string) => !await namesAny(text, columns);
  const isFreeIndex = async ({ keys, include, where }: Index) => {
    const texts = [...keys.map(({ expression }) => expression), where].filter((text) => text !== undefined);
    const free = await Promise.all(texts.map(isFreeText));
    return isFree([...keys.flatMap(({ column }) => column ?? []), ...include]) && free.every((each) => each);
  };
  const { primaryKey, ...rest } = table;
  return {
    ...rest,
    columns: table.columns.map(({ comment, ...column }) =>
      comment === undefined || columns.includes(column.name) ? column : { ...column, comment }
    ),
    ...(primaryKey === undefined || !isFree(primaryKey.columns) ? {} : { primaryKey }),
    uniques: table.uniques.filter((unique) => isFree(unique.columns)),
    checks: await filtered(table.checks, ({ expression }) => isFreeText(expression)),
    foreignKeys: table.foreignKeys.filter((key) => isFree(key.columns)),
    indexes: await filtered(table.indexes, isFreeIndex),
  };
}

/** Whether an expression names one of some columns; of one that cannot be read, whether its text holds a name. */
export async function namesAny(text: string, columns: readonly string[]): Promise<boolean> {
  const names = await namesInExpression(text);
  return names.ok
    ? names.value.columns.some((name) => columns.includes(name))
    : columns.some((name) => text.includes(name));
}

/** Names of the constraints and indexes that one of two tables does not have. */
export function namesMissing(table: Table, from: Table): ReadonlySet<string> {
  const left = new Set(partNames(from));
  return new Set(partNames(table).filter((name) => !left.has(name)));
}

function partNames({ primaryKey, uniques, checks, foreignKeys, indexes }: Table): readonly string[] {
  return [primaryKey, ...uniques, ...checks, ...foreignKeys, ...indexes].flatMap((part) => part?.name ?? []);
}

async function filtered<T>(items: readonly T[], test: (item: T) => Promise<boolean>): Promise<readonly T[]> {
  const kept = await Promise.all(items.map(test));
  return items.filter((_, index) => kept[index]);
}

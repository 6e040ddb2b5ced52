import type { SchemaChange } from "./change.ts";
import { type Column, findColumn, type PrimaryKey, type Table } from "./table.ts";

/**
 * Lists the changes that turn the observed table into the desired one, in the order in which they must run.
 *
 * Pure: no IO, no clock, inputs are never mutated. The order of columns never plans, and what is unmanaged is not seen.
 * Every difference is planned, also one that a policy then refuses.
 *
 * @param observed `undefined` if there is no such table.
 *
 * @example A table that matches its spec needs no change
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const users = { schema: "public", name: "users", columns: [], unmanaged: [] };
 * assertEquals(planTable(users, users), []);
 * ```
 */
export function planTable(desired: Table, observed: Table | undefined): readonly SchemaChange[] {
  if (observed === undefined) return [{ kind: "CreateTable", table: desired }];
  const replacesKey = !sameKey(desired.primaryKey, observed.primaryKey);
  return [
    ...planName(desired, observed),
    // The old key goes first: its columns cannot lose NOT NULL before.
    ...(replacesKey ? planKeyDrop(observed.primaryKey) : []),
    ...planColumns(desired, observed, replacesKey),
    // After the columns that it may need.
    ...(replacesKey && desired.primaryKey !== undefined
      ? [{ kind: "AddPrimaryKey", key: desired.primaryKey } as const]
      : []),
    ...planColumnDrops(desired, observed),
  ];
}

function planName(desired: Table, observed: Table): SchemaChange[] {
  return desired.name === observed.name ? [] : [{ kind: "RenameTable", from: observed.name, to: desired.name }];
}

/** Keys are compared by structure: the name of a key that nobody named is PostgreSQL's choice. */
function sameKey(desired: PrimaryKey | undefined, observed: PrimaryKey | undefined): boolean {
  if (desired === undefined || observed === undefined) return desired === observed;
  return desired.columns.length === observed.columns.length &&
    desired.columns.every((column, index) => column === observed.columns[index]);
}

function planKeyDrop(key: PrimaryKey | undefined): SchemaChange[] {
  return key?.name === undefined ? [] : [{ kind: "DropPrimaryKey", name: key.name, columns: key.columns }];
}

function planColumns(desired: Table, observed: Table, replacesKey: boolean): SchemaChange[] {
  const existing = new Map(observed.columns.map((column) => [column.name, column]));
  const keyed = new Set(replacesKey ? desired.primaryKey?.columns : []);
  return desired.columns.flatMap((column) => {
    const before = existing.get(column.name);
    if (before === undefined) return [{ kind: "AddColumn", column } as const];
    return planColumn(column, before, keyed.has(column.name));
  });
}

/** @param keyed Whether a new primary key will set NOT NULL by itself. */
function planColumn(desired: Column, observed: Column, keyed: boolean): SchemaChange[] {
  const name = desired.name;
  const changes: SchemaChange[] = [];
  if (desired.type !== observed.type) {
    changes.push({ kind: "ChangeType", column: name, from: observed.type, to: desired.type });
  }
  if (desired.default !== observed.default) {
    changes.push(
      desired.default === undefined
        ? { kind: "DropDefault", column: name }
        : { kind: "SetDefault", column: name, default: desired.default },
    );
  }
  if (observed.notNull && !desired.notNull) changes.push({ kind: "DropNotNull", column: name });
  if (!observed.notNull && desired.notNull && !keyed) changes.push({ kind: "SetNotNull", column: name });
  return changes;
}

function planColumnDrops(desired: Table, observed: Table): SchemaChange[] {
  return observed.columns
    .filter((column) => findColumn(desired, column.name) === undefined)
    .map((column) => ({ kind: "DropColumn", column }));
}

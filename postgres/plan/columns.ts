import type { ColumnChange } from "../change.ts";
import type { Column, Table } from "../table.ts";

/** Columns of both sides; a new primary key sets NOT NULL on its columns by itself. */
export interface ColumnsToPlan {
  readonly desired: Table;
  readonly observed: Table;
  readonly using: ReadonlyMap<string, string>;
  readonly keyed: ReadonlySet<string>;
}

/** New and changed columns, in the order of the spec. */
export function planColumns({ desired, observed, using, keyed }: ColumnsToPlan): readonly ColumnChange[] {
  // A search for each would take as long as the square of their number.
  const known = new Map(observed.columns.map((column) => [column.name, column]));
  const changes = desired.columns.flatMap((column) => {
    const before = known.get(column.name);
    if (before === undefined) return planNewColumn(column);
    return planColumn(column, before, { using: using.get(column.name), keyed: keyed.has(column.name) });
  });
  // While a column is computed from another one, that one keeps its type.
  const isFreed = ({ kind }: ColumnChange) => kind === "DropExpression";
  return [...changes.filter(isFreed), ...changes.filter((change) => !isFreed(change))];
}

/** Columns that the spec no longer lists; what is computed goes before what it is computed from. */
export function planColumnDrops(desired: Table, observed: Table): readonly ColumnChange[] {
  const wanted = new Set(desired.columns.map(({ name }) => name));
  return observed.columns
    .filter(({ name }) => !wanted.has(name))
    .toSorted((a, b) => Number(b.generated !== undefined) - Number(a.generated !== undefined))
    .map((column) => ({ kind: "DropColumn", column }));
}

function planNewColumn(column: Column): ColumnChange[] {
  const { name, comment } = column;
  const added: ColumnChange = { kind: "AddColumn", column };
  return comment === undefined ? [added] : [added, { kind: "SetColumnComment", column: name, comment }];
}

function planColumn(
  desired: Column,
  observed: Column,
  hint: { readonly using: string | undefined; readonly keyed: boolean },
): ColumnChange[] {
  const replaced = planReplacement(desired, observed);
  if (replaced !== undefined) return replaced;
  return [
    ...planLoss(desired, observed),
    ...planType(desired, observed, hint.using),
    ...planGain(desired, observed),
    ...planNotNull(desired, observed, hint.keyed),
    ...(desired.comment === observed.comment
      ? []
      : [{ kind: "SetColumnComment", column: desired.name, comment: desired.comment } as const]),
  ];
}

/** A plain column cannot become a generated one: it is dropped and added, and what it held is gone. */
function planReplacement(desired: Column, observed: Column): ColumnChange[] | undefined {
  if (desired.generated === undefined || observed.generated !== undefined) return undefined;
  return [{ kind: "DropColumn", column: observed }, ...planNewColumn(desired)];
}

/** What stands in the way of another type or another default. */
function planLoss(desired: Column, observed: Column): ColumnChange[] {
  const column = desired.name;
  const changes: ColumnChange[] = [];
  if (observed.generated !== undefined && desired.generated === undefined) {
    changes.push({ kind: "DropExpression", column });
  }
  if (observed.identity !== undefined && desired.identity === undefined) changes.push({ kind: "DropIdentity", column });
  if (observed.default !== undefined && desired.default === undefined) changes.push({ kind: "DropDefault", column });
  return changes;
}

function planType(desired: Column, observed: Column, using: string | undefined): ColumnChange[] {
  const { name: column, type, collation } = desired;
  if (type === observed.type) {
    return collation === observed.collation ? [] : [{ kind: "SetCollation", column, type, collation }];
  }
  const keepsDefault = observed.default !== undefined && desired.default !== undefined;
  return [{
    kind: "ChangeType",
    column,
    from: observed.type,
    to: type,
    ...(using === undefined ? {} : { using }),
    ...(keepsDefault && desired.default !== undefined ? { default: desired.default } : {}),
    ...(collation === undefined ? {} : { collation }),
  }];
}

function planGain(desired: Column, observed: Column): ColumnChange[] {
  const column = desired.name;
  const changes: ColumnChange[] = [];
  // A changed type sets its default itself.
  const isSet = desired.type !== observed.type && observed.default !== undefined;
  if (desired.default !== undefined && desired.default !== observed.default && !isSet) {
    changes.push({ kind: "SetDefault", column, default: desired.default });
  }
  if (desired.generated !== undefined && desired.generated !== observed.generated) {
    changes.push({ kind: "SetExpression", column: desired });
  }
  return changes;
}

function planNotNull(desired: Column, observed: Column, keyed: boolean): ColumnChange[] {
  const column = desired.name;
  const changes: ColumnChange[] = [];
  if (observed.notNull && !desired.notNull) changes.push({ kind: "DropNotNull", column });
  if (!observed.notNull && desired.notNull && !keyed) changes.push({ kind: "SetNotNull", column });
  if (desired.identity !== undefined && desired.identity !== observed.identity) {
    const kind = observed.identity === undefined ? "AddIdentity" : "SetIdentity";
    changes.push({ kind, column, identity: desired.identity });
  }
  return changes;
}

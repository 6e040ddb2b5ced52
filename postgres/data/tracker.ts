import type { SchemaChange } from "../change.ts";
import type { Column } from "../table.ts";
import { classifyTypeChange } from "../type_change.ts";

/** A column while the plan runs. */
export type TrackedColumn =
  | {
    readonly kind: "standing";
    readonly column: Column;
    /** Whether the values are still those that were asked, or equal exactly where those are. */
    readonly keepsValues: boolean;
  }
  | { readonly kind: "added"; readonly column: Column };

/** The columns before the first change, by name. */
export function trackColumns(columns: readonly Column[]): Map<string, TrackedColumn> {
  return new Map(columns.map((column) => [column.name, { kind: "standing", column, keepsValues: true }]));
}

/** Follows one change: names move, values change. */
export function trackChange(change: SchemaChange, columns: Map<string, TrackedColumn>): void {
  switch (change.kind) {
    case "RenameColumn":
      return move(columns, change.from, change.to);
    case "AddColumn":
      columns.set(change.column.name, { kind: "added", column: change.column });
      return;
    case "DropColumn":
      columns.delete(change.column.name);
      return;
    case "ChangeType": {
      const isSame = change.using === undefined && classifyTypeChange(change.from, change.to).kind === "WidenType";
      return isSame ? undefined : loseValues(columns, change.column);
    }
    case "SetCollation":
      return loseValues(columns, change.column);
    case "SetExpression":
      return loseValues(columns, change.column.name);
    default:
      return;
  }
}

function move(columns: Map<string, TrackedColumn>, from: string, to: string): void {
  const tracked = columns.get(from);
  if (tracked === undefined) return;
  columns.delete(from);
  columns.set(to, tracked);
}

function loseValues(columns: Map<string, TrackedColumn>, name: string): void {
  const tracked = columns.get(name);
  if (tracked?.kind === "standing") columns.set(name, { ...tracked, keepsValues: false });
}

/** From the names of today to the last ones. */
export function lastNames(
  changes: readonly SchemaChange[],
  columns: readonly Column[],
): ReadonlyMap<string, string> {
  const last = new Map(columns.map(({ name }) => [name, name]));
  for (const change of changes) {
    if (change.kind !== "RenameColumn") continue;
    const [first] = [...last].find(([, name]) => name === change.from) ?? [];
    if (first !== undefined) last.set(first, change.to);
  }
  return last;
}

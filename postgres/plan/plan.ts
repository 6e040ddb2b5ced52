import type { SchemaChange } from "../change.ts";
import { planColumnDrops, planColumns } from "./columns.ts";
import { planConstraints } from "./constraints.ts";
import { planForeignKeys } from "./foreign_keys.ts";
import { planIndexes } from "./indexes.ts";
import { emptyTable, type Table } from "../table.ts";

/** What a spec says beside the table that it wants. */
export interface PlanIntent {
  /** Columns that have another name in the observed table; it is given to `planTable()` with the new names in it. */
  readonly renames: readonly { readonly from: string; readonly to: string }[];
  /** SQL that makes the new value where a type changes, by column. */
  readonly using: ReadonlyMap<string, string>;
  /** Names of checks and indexes that go and come again though nothing of them differs; absent: none. */
  readonly remade?: ReadonlySet<string>;
}

const NO_INTENT: PlanIntent = { renames: [], using: new Map() };
const NONE: ReadonlySet<string> = new Set();

/**
 * Lists the changes that turn the observed table into the desired one, in the order in which they must run.
 *
 * Pure: no IO, no clock, inputs are never mutated. The order of columns never plans, and what is unmanaged is not seen.
 * Every difference is planned, also one that a policy then refuses; how a change is made without stopping its table's users
 * is the matter of `planSteps()`.
 *
 * @param observed With the renames of the intent already in it; `undefined` if there is no such table.
 *
 * @example A table that matches its spec needs no change
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { emptyTable } from "../table.ts";
 * const users = emptyTable("public", "users");
 * assertEquals(planTable(users, users), []);
 * ```
 */
export function planTable(
  desired: Table,
  observed: Table | undefined,
  intent: PlanIntent = NO_INTENT,
): readonly SchemaChange[] {
  if (observed === undefined) return planCreation(desired);
  const { remade = NONE } = intent;
  const constraints = planConstraints(desired, observed, remade);
  const indexes = planIndexes(desired, observed, { attached: constraints.attached, remade });
  const foreignKeys = planForeignKeys(desired, observed, [...constraints.goneKeys, ...indexes.goneKeys]);
  return [
    ...planName(desired, observed),
    ...intent.renames.map(({ from, to }) => ({ kind: "RenameColumn", from, to } as const)),
    // What goes, goes first: it frees names, and columns that are in a key cannot lose NOT NULL.
    ...foreignKeys.drops,
    ...constraints.drops,
    ...indexes.drops,
    ...constraints.renames,
    ...foreignKeys.renames,
    ...indexes.renames,
    ...planColumns({ desired, observed, using: intent.using, keyed: constraints.newKey }),
    // Behind the columns that it may need.
    ...constraints.adds,
    ...foreignKeys.adds,
    ...indexes.adds,
    ...constraints.validations,
    ...foreignKeys.validations,
    ...planColumnDrops(desired, observed),
    ...planTableComment(desired, observed),
  ];
}

/** Foreign keys come behind the table: several tables that are made at once would wait for each other for ever. */
function planCreation(desired: Table): readonly SchemaChange[] {
  return [
    { kind: "CreateTable", table: { ...desired, foreignKeys: [], indexes: [] } },
    ...desired.indexes.map((index) => ({ kind: "CreateIndex", index } as const)),
    ...planTableComment(desired, emptyTable(desired.schema, desired.name)),
    ...desired.columns.filter((column) => column.comment !== undefined)
      .map(({ name, comment }) => ({ kind: "SetColumnComment", column: name, comment } as const)),
    // Behind everything that is of the first step: what is left of the plan then is its rest.
    ...desired.foreignKeys.map((foreignKey) => ({ kind: "AddForeignKey", foreignKey } as const)),
  ];
}

function planName(desired: Table, observed: Table): SchemaChange[] {
  return desired.name === observed.name ? [] : [{ kind: "RenameTable", from: observed.name, to: desired.name }];
}

function planTableComment(desired: Table, observed: Table): SchemaChange[] {
  return desired.comment === observed.comment ? [] : [{ kind: "SetTableComment", comment: desired.comment }];
}

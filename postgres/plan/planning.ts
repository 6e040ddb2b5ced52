import type { PlanningBasis } from "./planning_basis.ts";
import type { SchemaChange } from "../change.ts";
import { type PlanIntent, planTable } from "./plan.ts";
import { renameColumns } from "./rename_columns.ts";
import { namesMissing, nullableLast, replacedColumns, withoutDependents } from "./replaced_columns.ts";
import { retypedParts, withRecomputed } from "./retyped_columns.ts";
import type { Situation } from "../situation/situation.ts";
import type { ExpressionShapes } from "../text/expression_shape.ts";
import { planSteps, type Step } from "./step.ts";
import type { Online, StepContext } from "./operation.ts";
import type { ForeignKey, Table } from "../table.ts";
import { targetKey } from "../catalog/target.ts";
import { type ExpressionShape, shapeOfExpression } from "../text/expression_shape.ts";

/** A table as a spec wants it, with everything that decides how to get there. */
export interface WantedTable {
  readonly desired: Table;
  /** Old name by new name, as the spec's `renamedFrom` says; it may be done already. */
  readonly renames: ReadonlyMap<string, string>;
  /** SQL that makes the new value where a type changes, by column. */
  readonly using: ReadonlyMap<string, string>;
  readonly online: Online;
  /** What is wanted of a table that was adopted, from what stands there with the renames in it: the spec's rest is left alone. */
  readonly adopt?: (observed: Table) => Table;
}

/** A plan with all that a verdict needs. */
export interface PlannedTable {
  readonly changes: readonly SchemaChange[];
  readonly steps: readonly Step[];
  /** The observed table with the renames of this plan in it. */
  readonly observed: Table | undefined;
  /** Renames of this plan. */
  readonly renames: readonly { readonly from: string; readonly to: string }[];
  /** Foreign keys to tables that are not there yet: the rest of the plan does not wait for them. */
  readonly waiting: readonly ForeignKey[];
  /** How those are made when their tables are there, if nothing else changes until then. */
  readonly waitingSteps: readonly Step[];
}

/** Plans what was wanted against what was seen. Pure but for the parser that rewrites expressions. */
export async function planSituation(wanted: WantedTable, situation: Situation): Promise<PlannedTable> {
  switch (situation.kind) {
    case "conflict":
      return { changes: [], steps: [], waitingSteps: [], observed: undefined, renames: [], waiting: [] };
    case "absent":
      return await planAgainst(wanted, undefined, situation);
    case "owned":
      return await planAgainst(wanted, situation.basis, {
        ...situation,
        isAdopted: situation.row.origin === "adopted",
      });
  }
}

/** What was seen beside the table itself. */
export interface Surroundings {
  /** What foreign keys may refer to; `undefined`: nobody could look. */
  readonly targets: ReadonlyMap<string, unknown> | undefined;
  readonly version: number;
  readonly isAdopted?: boolean;
}

/** The same against any basis, for instance against what an old spec promised while nobody can look. */
export async function planAgainst(
  wanted: WantedTable,
  basis: PlanningBasis | undefined,
  seen: Surroundings,
): Promise<PlannedTable> {
  const { using, online } = wanted;
  const renames = basis === undefined ? [] : dueRenames(wanted, basis.table);
  const observed = basis === undefined ? undefined : await renamedTable(basis.table, renames, wanted.desired.name);
  const adopted = observed === undefined || seen.isAdopted !== true ? undefined : wanted.adopt?.(observed);
  const desired = adopted ?? wanted.desired;
  const around = { desired, intent: { renames, using }, version: seen.version };
  const { base, planned } = await planAround(observed, around);
  const gone = observed === undefined || base === undefined ? new Set() : namesMissing(observed, base);
  const waiting = planned.flatMap((change) =>
    change.kind === "AddForeignKey" && isMissing(change.foreignKey) ? [change.foreignKey] : []
  );
  const changes = planned.filter((change) => change.kind !== "AddForeignKey" || !waiting.includes(change.foreignKey));
  const context = {
    desired,
    observed: base,
    version: seen.version,
    online,
    isEmpty: basis?.isEmpty ?? true,
    helpers: (basis?.helpers ?? []).map((helper) => ({ ...helper, column: nameNow(helper.column) })),
    columnNumbers: new Map([...basis?.columnNumbers ?? []].map(([name, number]) => [nameNow(name), number])),
    takenNames: new Set([...basis?.takenNames ?? []].filter((name) => !gone.has(name))),
    shapes: await shapesOf(changes),
  };
  const waitingSteps = planWaiting(waiting, context);
  return { changes, steps: planSteps(changes, context), observed, renames, waiting, waitingSteps };

  function nameNow(name: string): string {
    return renames.find(({ from }) => from === name)?.to ?? name;
  }

  function isMissing({ references }: ForeignKey): boolean {
    const isSelf = references.schema === desired.schema && references.table === desired.name;
    return !isSelf && seen.targets !== undefined && !seen.targets.has(targetKey(references));
  }
}

/** The plan around what cannot be changed in its place, and the table without what goes with that in silence. */
async function planAround(
  observed: Table | undefined,
  wanted: { readonly desired: Table; readonly intent: PlanIntent; readonly version: number },
): Promise<{ readonly base: Table | undefined; readonly planned: readonly SchemaChange[] }> {
  const { desired, intent, version } = wanted;
  const direct = planTable(desired, observed, intent);
  if (observed === undefined) return { base: undefined, planned: direct };
  const { recomputed, remade } = await retypedParts(direct, observed);
  const replaced = replacedColumns(direct, version).filter((name) => !recomputed.includes(name));
  if (replaced.length + recomputed.length + remade.size === 0) return { base: observed, planned: direct };
  const left = await withoutDependents(observed, [...replaced, ...recomputed]);
  const base = { ...left, columns: left.columns.filter(({ name }) => !recomputed.includes(name)) };
  const changes = planTable(desired, base, { ...intent, remade });
  return {
    base,
    planned: withRecomputed(replaced.length === 0 ? changes : nullableLast(changes), observed, recomputed),
  };
}

/** As the planner makes them when all else is done. */
function planWaiting(waiting: readonly ForeignKey[], context: StepContext): readonly Step[] {
  const { observed, desired: { name } } = context;
  const changes = waiting.map((foreignKey) => ({ kind: "AddForeignKey", foreignKey } as const));
  return planSteps(changes, {
    ...context,
    observed: observed === undefined ? undefined : { ...observed, name },
    helpers: [],
  });
}

/** What goes into the names of checks and indexes that nobody named. */
async function shapesOf(changes: readonly SchemaChange[]): Promise<ExpressionShapes> {
  const texts = changes.flatMap((change): readonly string[] => {
    if (change.kind === "AddCheck") return change.check.name === undefined ? [change.check.expression] : [];
    if (change.kind !== "CreateIndex" && change.kind !== "RebuildIndex") return [];
    return change.index.keys.flatMap(({ expression }) => expression ?? []);
  });
  const shapes = new Map<string, ExpressionShape>();
  for (const text of texts) shapes.set(text, await shapeOfExpression(text));
  return shapes;
}

/** PostgreSQL carries new names into everything that uses the old ones; the name of the table itself is still planned. */
async function renamedTable(observed: Table, renames: PlannedTable["renames"], name: string): Promise<Table> {
  const table = await renameColumns(observed, renames);
  if (name === observed.name) return table;
  const foreignKeys = table.foreignKeys.map((key): ForeignKey => {
    const { references } = key;
    const isSelf = references.schema === observed.schema && references.table === observed.name;
    return isSelf ? { ...key, references: { ...references, table: name } } : key;
  });
  return { ...table, foreignKeys };
}

/** Renames that are still to be done: the old name is there and the new one is not. */
function dueRenames(wanted: WantedTable, observed: Table): PlannedTable["renames"] {
  const names = new Set(observed.columns.map((column) => column.name));
  return [...wanted.renames].flatMap(([to, from]) => names.has(from) && !names.has(to) ? [{ from, to }] : []);
}

import type { Operation, StepContext } from "./operation.ts";
import type { SchemaChange } from "../change.ts";
import { dropHelper, remainingHelpers } from "./helper.ts";
import { expandOnline, partsOfKey } from "./online.ts";
import { PartNames } from "./part_names.ts";
import { keysMadeAgain } from "./replacement.ts";
import { type Statement, statementsOf } from "../statement/statement.ts";

/**
 * A part of a plan that runs as a whole: one transaction, or one statement outside of any. After each step the table is
 * observed and planned again, so that a crash at any point needs nothing but planning again.
 */
export interface Step {
  readonly kind: "Transaction" | "Concurrent";
  readonly changes: readonly SchemaChange[];
  readonly statements: readonly Statement[];
}

/** Groups the changes of a plan into steps. Pure. */
export function planSteps(changes: readonly SchemaChange[], context: StepContext): readonly Step[] {
  const isDirect = context.observed === undefined || context.isEmpty || context.online === "Never";
  const operations = isDirect ? expandDirect(changes, context) : expandOnline(changes, context);
  return toSteps(operations, context);
}

function expandDirect(changes: readonly SchemaChange[], context: StepContext): readonly Operation[] {
  const names = new PartNames(changes, context, new Set());
  const madeAgain = keysMadeAgain(changes);
  const whole = changes.flatMap((change): readonly SchemaChange[] =>
    change.kind === "RebuildIndex"
      ? [{ kind: "DropIndex", name: change.name }, { kind: "CreateIndex", index: change.index }]
      : [withName(change, names)]
  );
  return [...whole, ...remainingHelpers(changes, context.helpers).map(dropHelper)].map((change) => ({
    change,
    mode: "Direct",
    // Two foreign keys in one transaction are what deadlocks are made of; one to the table itself locks no other.
    place: change.kind === "AddForeignKey" && !madeAgain.has(change.foreignKey.name ?? "") ? "Own" : "Shared",
  }));
}

/** PostgreSQL names a new key itself; one that is made of an index would keep the name of that. */
function withName(change: SchemaChange, names: PartNames): SchemaChange {
  switch (change.kind) {
    case "AddPrimaryKey":
      if (change.key.name === undefined) names.ofKey(partsOfKey("primary key", change.key.columns));
      return change;
    case "AddUnique":
      if (change.unique.name === undefined) names.ofKey(partsOfKey("unique constraint", change.unique.columns));
      return change;
    case "AttachIndex": {
      const { name, constraint, columns, index } = change;
      return { ...change, name: name ?? names.ofKey(partsOfKey(constraint, columns), index) };
    }
    default:
      return change;
  }
}

function toSteps(operations: readonly Operation[], context: StepContext): readonly Step[] {
  const { observed, desired, version } = context;
  const schema = desired.schema;
  let name = observed?.name ?? desired.name;
  let isNew = false;
  const steps: { kind: Step["kind"]; place: Operation["place"]; changes: SchemaChange[]; statements: Statement[] }[] =
    [];
  for (const { change, mode, place } of operations) {
    const last = steps.at(-1);
    const step = last?.place === "Shared" && place === "Shared" ? last : {
      kind: place === "Concurrent" ? "Concurrent" as const : "Transaction" as const,
      place,
      changes: [],
      statements: [],
    };
    if (step !== last) {
      steps.push(step);
      isNew = false;
    }
    if (change.kind === "CreateTable") isNew = true;
    step.changes.push(change);
    step.statements.push(...statementsOf(change, { schema, name, version, mode, isNew, observed }));
    if (change.kind === "RenameTable") name = change.to;
  }
  return steps.map(({ kind, changes, statements }) => ({ kind, changes, statements }));
}

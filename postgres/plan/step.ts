import type { SchemaChange } from "../change.ts";
import { dropHelper, expandOnline, remainingHelpers } from "./online.ts";
import { type Statement, statementsOf } from "../statement/statement.ts";
import type { Table } from "../table.ts";

/**
 * A part of a plan that runs as a whole: one transaction, or one statement outside of any. After each step the table is
 * observed and planned again, so that a crash at any point needs nothing but planning again.
 */
export interface Step {
  readonly kind: "Transaction" | "Concurrent";
  readonly changes: readonly SchemaChange[];
  readonly statements: readonly Statement[];
}

/** How careful a change of a table with rows must be. */
export type Online =
  /** Without stopping users where PostgreSQL can, else in one go. */
  | "Prefer"
  /** What would stop users is refused. */
  | "Require"
  /** Everything in one transaction. */
  | "Never";

/** A check `column IS NOT NULL` of ours, on the way to NOT NULL. */
export interface NotNullHelper {
  readonly column: string;
  readonly name: string;
  readonly validated: boolean;
}

/** What steps depend on beside the changes. */
export interface StepContext {
  /** With the new names of its columns; `undefined`: the table is to be made. */
  readonly observed: Table | undefined;
  readonly desired: Table;
  /** PostgreSQL's major version. */
  readonly version: number;
  readonly online: Online;
  /** Whether the table has no rows: then nobody waits for a scan. */
  readonly isEmpty: boolean;
  readonly helpers: readonly NotNullHelper[];
  /** By column name: `pg_attribute.attnum`. */
  readonly columnNumbers: ReadonlyMap<string, number>;
  /** Relation names of the schema that a new index must not have. */
  readonly takenNames: ReadonlySet<string>;
}

/** One change with the way in which it is made. */
export interface Operation {
  readonly change: SchemaChange;
  readonly mode: "Online" | "Direct";
  /** `Shared`: in one transaction with its neighbours; `Own`: in one of its own; `Concurrent`: in none. */
  readonly place: "Shared" | "Own" | "Concurrent";
}

/** Groups the changes of a plan into steps. Pure. */
export function planSteps(changes: readonly SchemaChange[], context: StepContext): readonly Step[] {
  const isDirect = context.observed === undefined || context.isEmpty || context.online === "Never";
  const operations = isDirect ? expandDirect(changes, context) : expandOnline(changes, context);
  return toSteps(operations, context);
}

function expandDirect(changes: readonly SchemaChange[], { helpers }: StepContext): readonly Operation[] {
  const whole = changes.flatMap((change): readonly SchemaChange[] =>
    change.kind === "RebuildIndex"
      ? [{ kind: "DropIndex", name: change.name }, { kind: "CreateIndex", index: change.index }]
      : [change]
  );
  return [...whole, ...remainingHelpers(changes, helpers).map(dropHelper)].map(directOperation);
}

/** Foreign keys stay by themselves also here: two in one transaction are what deadlocks are made of. */
function directOperation(change: SchemaChange): Operation {
  return { change, mode: "Direct", place: change.kind === "AddForeignKey" ? "Own" : "Shared" };
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

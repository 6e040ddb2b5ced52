import { type FieldError, forbidden, formatFieldError } from "../../../crds/field_error.ts";
import { questionsFor } from "../../../postgres/data/question.ts";
import { PostgresError } from "../../../postgres/session/errors.ts";
import type { Situation } from "../../../postgres/situation/situation.ts";
import type { Table } from "../../../postgres/table.ts";
import { conflictError } from "./conflict.ts";
import type { DesiredTable } from "../spec/desired.ts";
import type { JudgedPlan } from "./judge.ts";
import type { LiveCatalog } from "./live_catalog.ts";
import { schemaFault } from "./schema_fault.ts";
import { columnsToProbe } from "./verify_literals.ts";

/** SQLSTATE. */
const LOCK_NOT_AVAILABLE = "55P03";

/** A plan, and what it was made from. */
export interface LiveQuestion {
  readonly desired: DesiredTable;
  /** The table as it was promised or seen before, whose literals are known to be good. */
  readonly previous: Table | undefined;
  readonly situation: Situation;
  readonly judged: JudgedPlan;
}

/** What only the live database shows of a plan. */
export interface LiveAnswer {
  readonly faults: readonly FieldError[];
  readonly warnings: readonly string[];
}

/**
 * Asks the database everything about a plan: types, functions, literals, dependents, names, rows. The webhook and the loop
 * ask the same, so both name the same fields. What cannot be asked in time is a warning: the rest of the verdict stands.
 */
export async function askEverything(
  catalog: LiveCatalog,
  question: LiveQuestion,
  signal: AbortSignal,
): Promise<LiveAnswer> {
  try {
    const faults = await catalog.verify(question, signal);
    const data = await catalog.ask(question, signal);
    return { faults: unique([...faults, ...data.faults]), warnings: data.warnings };
  } catch (error) {
    if (!(error instanceof PostgresError)) throw error;
    const { table } = question.desired;
    const why = (table === undefined ? undefined : whyLocked(error, table)) ??
      "the database did not answer all questions in time";
    return { faults: [], warnings: [`${why}: the plan is checked again before it runs`] };
  }
}

/**
 * The words for a lock of another session, if that is why nobody could look. Whoever holds it may be a user's own migration:
 * it is not the operator's business to name the session.
 */
export function whyLocked(
  { sqlstate }: PostgresError,
  { schema, name }: Pick<Table, "schema" | "name">,
): string | undefined {
  return sqlstate === LOCK_NOT_AVAILABLE
    ? `table ${schema}.${name}, or the catalog of the database, is locked by another session`
    : undefined;
}

/** Whether the rows or the server have something to say that the transaction of the plan does not ask itself. */
export function hasLiveQuestions({ desired, previous, situation, judged }: LiveQuestion): boolean {
  if (columnsToProbe(desired, previous).length > 0) return true;
  return situation.kind === "owned" && !situation.basis.isEmpty &&
    questionsFor(judged.plan.changes, situation.basis.table).length > 0;
}

/** Faults of the place where the table stands or is to be made. */
export function placeFaults(situation: Situation | undefined): readonly FieldError[] {
  switch (situation?.kind) {
    case "conflict":
      return [conflictError(situation.conflict)];
    case "absent":
    case "owned":
    case undefined:
      return schemaFaults(situation);
  }
}

/** Why no table can be made in the schema. */
export function schemaFaults(situation: Situation | undefined): readonly FieldError[] {
  if (situation?.kind !== "absent" || situation.schema.mayCreate) return [];
  return [forbidden("spec.schema", schemaFault(situation.schema.exists))];
}

/** Two questions may find the same fault. */
export function unique(errors: readonly FieldError[]): readonly FieldError[] {
  return [...new Map(errors.map((error) => [formatFieldError(error), error])).values()];
}

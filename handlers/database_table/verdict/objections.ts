import { type DatabaseTable, TAKE_OVER_ANNOTATION } from "../../../crds/database_table/types.ts";
import type { FieldError } from "../../../crds/field_error.ts";
import type { PlannedTable } from "../../../postgres/plan/planning.ts";
import { PostgresError } from "../../../postgres/session/errors.ts";
import type { Situation } from "../../../postgres/situation/situation.ts";
import type { ApprovalNeeded } from "./approval.ts";
import type { DesiredTable } from "../spec/desired.ts";
import { judgeSituation } from "./judge.ts";
import type { LiveCatalog } from "./live_catalog.ts";
import { askEverything, hasLiveQuestions, placeFaults, unique } from "./live_verdict.ts";
import { refusePlan } from "./policy.ts";
import type { UnderstoodSpec } from "../spec/understand.ts";

/** Why the loop does not run a plan. */
export type Objection =
  | { readonly kind: "Fault"; readonly error: FieldError }
  /** It would undo what somebody did by hand, and the spec says to leave that. */
  | { readonly kind: "Held" }
  /** It waits for a person. */
  | ApprovalNeeded;

/** Faults as objections. */
export function faultsOf(errors: readonly FieldError[]): readonly Objection[] {
  return errors.map((error) => ({ kind: "Fault", error }));
}

/**
 * What is wrong with a plan, before the transaction that would run it. The catalog is asked here only about what that
 * transaction does not ask itself, or to name every fault beside one that is known.
 */
export async function planFaults(
  catalog: LiveCatalog,
  { desired, plan, situation }: {
    readonly desired: DesiredTable;
    readonly plan: PlannedTable;
    readonly situation: Situation;
  },
  signal: AbortSignal,
): Promise<readonly FieldError[]> {
  const refused = refusePlan({ desired, plan, situation });
  const question = { desired, previous: plan.observed, situation, judged: { plan, refused } };
  const isAsked = refused.length > 0 || hasLiveQuestions(question);
  const { faults } = isAsked ? await askEverything(catalog, question, signal) : { faults: [] };
  return unique([...faults, ...refused.map(({ error }) => error)]);
}

/**
 * All faults of an object whose spec cannot be planned as it is, with those that only the database shows, as the webhook
 * lists them; what cannot be asked now is left out.
 */
export async function everyFault(
  catalog: LiveCatalog,
  { object, understood }: { readonly object: DatabaseTable; readonly understood: UnderstoodSpec },
  signal: AbortSignal,
): Promise<readonly FieldError[]> {
  const { errors, desired } = understood;
  const table = desired?.table;
  if (desired === undefined || table === undefined) return errors;
  const { namespace, name, uid, annotations } = object.metadata;
  const takeOver = annotations?.[TAKE_OVER_ANNOTATION];
  try {
    const look = await catalog.look({ namespace, name, uid, takeOver, desired: { ...desired, table } }, signal);
    const { situation } = look;
    const judged = await judgeSituation(look.desired, situation);
    const question = { desired: look.desired, previous: judged.plan.observed, situation, judged };
    const { faults } = await askEverything(catalog, question, signal);
    const refused = judged.refused.map(({ error }) => error);
    return unique([...errors, ...look.faults, ...faults, ...placeFaults(situation), ...refused]);
  } catch (error) {
    if (error instanceof PostgresError) return errors;
    throw error;
  }
}

import type { FieldError } from "../../../crds/field_error.ts";
import type { PlannedTable } from "../../../postgres/plan/planning.ts";
import type { Situation } from "../../../postgres/situation/situation.ts";
import type { Table } from "../../../postgres/table.ts";
import type { DesiredTable } from "../spec/desired.ts";
import { judgeSituation } from "./judge.ts";
import type { LiveCatalog } from "./live_catalog.ts";
import { placeFaults, unique } from "./live_verdict.ts";
import type { UnderstoodSpec } from "../spec/understand.ts";

/** A spec judged against the live catalog, with every fault and everything that it would run. */
export interface LiveJudgement {
  readonly faults: readonly FieldError[];
  /** What nobody could tell in time. */
  readonly warnings: readonly string[];
  /** `undefined` where the spec names no table. */
  readonly situation: Situation | undefined;
  readonly plan: PlannedTable | undefined;
}

/** Whose object it is: `uid` is that of the registry's row, or empty for an object that is to be made. */
export interface Claim {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** The cluster whose table the object may take. */
  readonly takeOver: string | undefined;
}

/**
 * Judges a spec as admission does while the database answers: every question is asked, and none is guessed.
 *
 * @throws {PostgresError} if the database cannot be asked.
 */
export async function judgeLive(
  understood: UnderstoodSpec,
  { claim, catalog }: { readonly claim: Claim; readonly catalog: LiveCatalog },
  signal: AbortSignal,
): Promise<LiveJudgement> {
  const { desired: asked, errors } = understood;
  if (asked?.table === undefined) return { faults: errors, warnings: [], situation: undefined, plan: undefined };
  const wanted: DesiredTable & { readonly table: Table } = { ...asked, table: asked.table };
  const { situation, desired, faults: types } = await catalog.look({ ...claim, desired: wanted }, signal);
  const judged = await judgeSituation(desired, situation);
  const verified = await catalog.verify({ desired, previous: undefined, situation, judged }, signal);
  const data = await catalog.ask({ desired, situation, judged }, signal);
  const faults = [
    ...errors,
    ...types,
    ...verified,
    ...data.faults,
    ...placeFaults(situation),
    ...judged.refused.map(({ error }) => error),
  ];
  return { faults: unique(faults), warnings: data.warnings, situation, plan: judged.plan };
}

import { planAgainst, type PlannedTable, planSituation, type WantedTable } from "../../../postgres/plan/planning.ts";
import type { PlanningBasis } from "../../../postgres/plan/planning_basis.ts";
import type { Situation } from "../../../postgres/situation/situation.ts";
import type { Table } from "../../../postgres/table.ts";
import type { DesiredTable } from "../spec/desired.ts";
import { adoptedTable } from "../spec/desired_adopted.ts";
import { refusePlan } from "./policy.ts";
import type { Refusal } from "./policy_context.ts";

/** A plan and what is refused of it. */
export interface JudgedPlan {
  readonly plan: PlannedTable;
  readonly refused: readonly Refusal[];
}

const NO_PLAN: PlannedTable = {
  changes: [],
  steps: [],
  waitingSteps: [],
  observed: undefined,
  renames: [],
  waiting: [],
};
/** Of the server that nobody can ask: plans differ between versions in SQL only. */
const ASSUMED_VERSION = 18;

/** What a spec wants of a table; `undefined` if not even its name is known. */
export function wantedTable(desired: DesiredTable): WantedTable | undefined {
  const { table, renames, using, changePolicy } = desired;
  if (table === undefined) return undefined;
  const adopt = (observed: Table) => adoptedTable(desired, observed) ?? table;
  return { desired: table, renames, using, online: changePolicy.online, adopt };
}

/** Plans a spec against what was seen and asks the policy. */
export async function judgeSituation(desired: DesiredTable, situation: Situation): Promise<JudgedPlan> {
  const wanted = wantedTable(desired);
  if (wanted === undefined || situation.kind === "conflict") return { plan: NO_PLAN, refused: [] };
  const plan = await planSituation(wanted, situation);
  return { plan, refused: refusePlan({ desired, plan, situation }) };
}

/** Plans a spec against what an old spec promised, while nobody can look. */
export async function judgeBlindly(desired: DesiredTable, previous: Table | undefined): Promise<JudgedPlan> {
  const wanted = wantedTable(desired);
  if (wanted === undefined) return { plan: NO_PLAN, refused: [] };
  const basis = previous === undefined ? undefined : promisedBasis(previous);
  const plan = await planAgainst(wanted, basis, { targets: undefined, version: ASSUMED_VERSION });
  return { plan, refused: refusePlan({ desired, plan, situation: undefined }) };
}

/** The table of an old spec as if it stood there, with rows. Constraints that nobody named have a name nobody knows. */
function promisedBasis(table: Table): PlanningBasis {
  return {
    table,
    version: ASSUMED_VERSION,
    isEmpty: false,
    helpers: [],
    columnNumbers: new Map(table.columns.map((column, index) => [column.name, index + 1])),
    takenNames: new Set(),
  };
}

import { forbidden } from "../../crds/field_error.ts";
import type { ApplyOutcome } from "../../postgres/apply/apply.ts";
import type { Relation } from "../../postgres/catalog/relation.ts";
import { announceDeeds, announceDrift } from "./announce.ts";
import { type ApprovalNeeded, describeApprovalNeeded, type PlanApproval } from "./verdict/approval.ts";
import { type Attempt, type Conclusion, refuse, tableNews, tell, type Told } from "./attempt.ts";
import { conflictError } from "./verdict/conflict.ts";
import { describeDrift, NO_DRIFT } from "./drift/drift.ts";
import { letGo } from "./let_go.ts";
import type { Objection } from "./verdict/objections.ts";
import type { PlanJudge } from "./verdict/plan_judge.ts";
import { schemaFault } from "./verdict/schema_fault.ts";
import type { Finding } from "./status_report.ts";

const OTHER_BUILDS =
  "waiting for other tables: as many indexes are built, constraints validated and tables rewritten as may be at the same time";

/** How applying ended, and what decided about it. */
interface Ended<K extends ApplyOutcome<Objection>["kind"] = ApplyOutcome<Objection>["kind"]> {
  readonly outcome: Extract<ApplyOutcome<Objection>, { readonly kind: K }>;
  readonly judge: PlanJudge;
  readonly approval: PlanApproval;
  readonly specHash: string;
}

/** What is to be said and done about the outcome of `applyTable()`. */
export async function concludeApply(attempt: Attempt, ended: Ended): Promise<Conclusion> {
  const { outcome } = ended;
  switch (outcome.kind) {
    case "done":
      return await finish(attempt, { ...ended, outcome });
    case "refused":
      return stop(attempt, { ...ended, outcome });
    case "conflict": {
      // The other side may go away, and no event of ours will tell.
      const errors = [conflictError(outcome.conflict)];
      return refuse(attempt, { reason: "OwnershipConflict", errors, drift: NO_DRIFT, recheck: "Later" });
    }
    case "noSchema": {
      const errors = [forbidden("spec.schema", schemaFault(outcome.exists))];
      return refuse(attempt, { reason: "InvalidSpec", errors, recheck: "Later" });
    }
    case "fenced": {
      const { generation } = attempt.object.metadata;
      const message = `generation ${outcome.generation} of this object was applied before: ` +
        `this one (${generation}) is older, for instance because the cluster was restored`;
      return tell(attempt.object, { finding: { kind: "Waiting", reason: "Fenced", message } }, "Later");
    }
    case "busy":
      return { kind: "Busy" };
    case "postponed": {
      const ran = announceDeeds(attempt, outcome, ended.judge.found);
      const finding = { kind: "Waiting", reason: "WaitingForOtherBuilds", message: OTHER_BUILDS } as const;
      return { kind: "Postponed", report: { finding, drift: ended.judge.left, ran } };
    }
  }
}

async function finish(attempt: Attempt, ended: Ended<"done">): Promise<Conclusion> {
  const { outcome, judge, approval } = ended;
  const { relation, waiting } = outcome;
  if (outcome.adopted) {
    const note = `table ${relation.schema}.${relation.name} was there and is taken over`;
    attempt.context.recordEvent(attempt.object, { type: "Normal", reason: "Adopted", note });
  }
  const ran = announceDeeds(attempt, outcome, judge.found);
  const drift = judge.left;
  const object = await letGo(attempt, { approval, isDone: waiting.length === 0 });
  const news = ran === undefined ? {} : { happened: tableNews(relation) };
  if (waiting.length === 0) {
    announceDrift(attempt, drift);
    return { ...tell(object, { finding: readyFinding(attempt, relation, ended), drift, ran }), ...news };
  }
  const tables = waiting.map(({ references }) => `${references.schema}.${references.table}`);
  const message = `waiting for ${[...new Set(tables)].join(", ")}, which a foreign key refers to`;
  const report = { finding: { kind: "Waiting", reason: "WaitingForReference", message }, drift, ran } as const;
  const waitsFor = waiting.map(({ references: { schema, table } }) => tableNews({ schema, name: table }));
  return { ...tell(object, report, "Soon"), ...news, waitsFor };
}

/** Something of the plan must not run: it is refused, waits for a person, or is drift that is left as it is. */
function stop(attempt: Attempt, ended: Ended<"refused">): Told {
  const { outcome, judge } = ended;
  const { object } = attempt;
  const ran = announceDeeds(attempt, { ...outcome, created: false, adopted: false }, judge.found);
  const drift = judge.left;
  announceDrift(attempt, drift);
  const errors = outcome.faults.flatMap((each) => each.kind === "Fault" ? [each.error] : []);
  if (errors.length > 0) {
    // The message says what a person can do in the database, which no event of ours will tell.
    return refuse(attempt, { reason: "PlanRefused", errors, drift, ran, recheck: "Later" });
  }
  const needed = outcome.faults.find((each) => each.kind === "ApprovalNeeded");
  if (needed !== undefined) return askForApproval(attempt, needed, { drift, ran });
  const { ignored } = judge;
  const finding: Finding = ignored === undefined
    ? { kind: "Drifted", message: describeDrift(drift) }
    : readyFinding(attempt, ignored.relation, ended);
  return tell(object, { finding, drift, ran });
}

/** Also of a correction: whoever wants to see each plan wants to see that one too. */
function askForApproval(
  { object, context }: Attempt,
  needed: ApprovalNeeded,
  seen: Pick<Told["report"], "drift" | "ran">,
): Told {
  const message = describeApprovalNeeded(needed).replace("NAME", object.metadata.name);
  context.recordEvent(object, { type: "Normal", reason: "ApprovalRequired", note: message });
  // Whether the plan is still the same depends on the table, of which no event tells.
  return tell(object, { finding: { kind: "Unapproved", message }, ...seen }, "Later");
}

function readyFinding(
  { context }: Attempt,
  relation: Relation,
  { specHash, judge }: Pick<Ended, "specHash" | "judge">,
): Finding {
  const { address } = context.database;
  const database = address.slice(address.lastIndexOf("/") + 1);
  const where = { database, databaseId: context.gate.databaseId, server: context.server };
  return { kind: "Ready", relation, specHash, ...where, ignoresDrift: judge.ignoresDrift };
}

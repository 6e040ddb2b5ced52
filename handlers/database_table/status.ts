import type { DatabaseTable, DatabaseTableStatus, HistoryEntry, PlanStatus } from "../../crds/database_table/types.ts";
import { formatFieldError } from "../../crds/field_error.ts";
import { type Condition, type ConditionState, removeCondition, setCondition } from "../../crds/meta.ts";
import { isSameJson } from "../../crds/same_json.ts";
import type { Relation } from "../../postgres/catalog/catalog.ts";
import { describeDrift, type Drift, driftEntries } from "./drift/drift.ts";
import type { Finding, Report } from "./status_report.ts";

/** Kubernetes refuses a condition's message above 32,768 bytes. */
const MAX_MESSAGE = 16_384;
const MAX_HISTORY = 10;
const MAX_SQL = 256;

/**
 * The status that follows from a report. Pure; `lastTransitionTime` moves only with a condition's status, and sizes are
 * brought up to date only together with something that matters: they change all the time.
 *
 * @param now RFC 3339, second precision.
 */
export function nextStatus(object: DatabaseTable, report: Report, now: string): DatabaseTableStatus {
  const { finding } = report;
  const before = object.status ?? {};
  const next: DatabaseTableStatus = {
    observedGeneration: object.metadata.generation,
    message: clip(readyState(finding).message, MAX_MESSAGE),
    conditions: nextConditions(object, report, now),
    ...present("plan", nextPlan(object, report)),
    ...present("applied", nextApplied(before.applied, report, now)),
    ...present("drift", report.drift === undefined ? before.drift : listOrNothing(driftEntries(report.drift))),
    ...present("history", nextHistory(before.history, report, now)),
  };
  const { observed, ...rest } = before;
  const keepsSizes = observed !== undefined && isSameJson(next, rest);
  return { ...next, ...present("observed", keepsSizes ? observed : observedOf(finding) ?? observed) };
}

/** Whether a status says that the spec of this generation was reached, and which table that was. */
export function isReached({ metadata, status }: DatabaseTable, hash: string): boolean {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True" && status?.observedGeneration === metadata.generation &&
    ready.observedGeneration === metadata.generation && status.applied?.hash === hash;
}

/** Types that this handler writes; others in the list belong to somebody else and stay. */
const MANAGED = ["Ready", "Reconciling", "Stalled", "ApprovalRequired", "OwnershipConflict", "DatabaseReachable"];
const DRIFTED = "Drifted";

type State = Omit<ConditionState, "observedGeneration">;

function nextConditions(object: DatabaseTable, { finding, drift }: Report, now: string): readonly Condition[] {
  const observedGeneration = object.metadata.generation;
  const drifted = drift === undefined ? undefined : driftedState(finding, drift);
  const states = [...statesOf(finding), ...(drifted === undefined ? [] : [drifted])]
    .map((state) => ({ ...state, observedGeneration, message: clip(state.message, MAX_MESSAGE) }));
  // Without a look at the table what was said of drift stays.
  const managed = drift === undefined ? MANAGED : [...MANAGED, DRIFTED];
  const kept = managed.filter((type) => !states.some((state) => state.type === type))
    .reduce<readonly Condition[]>(
      (conditions, type) => removeCondition(conditions, type),
      object.status?.conditions ?? [],
    );
  return states.reduce((conditions, state) => setCondition(conditions, state, now), kept);
}

function readyState(finding: Finding): State {
  switch (finding.kind) {
    case "Ready":
      return {
        type: "Ready",
        status: "True",
        reason: "Reconciled",
        message: finding.ignoresDrift === true
          ? `table ${nameOf(finding.relation)} was made as the spec says; changes by hand are ignored (drift.action)`
          : `table ${nameOf(finding.relation)} is as the spec says`,
      };
    case "Faulty":
      return {
        type: "Ready",
        status: "False",
        reason: finding.reason,
        message: finding.errors.map(formatFieldError).join("; "),
      };
    case "Drifted":
      return { type: "Ready", status: "False", reason: "Drifted", message: finding.message };
    case "Suspended":
      return {
        type: "Ready",
        status: "Unknown",
        reason: "Suspended",
        message: "spec.suspend is true: the table is neither looked at nor changed",
      };
    case "Observed":
      return {
        type: "Ready",
        status: finding.isReached ? "True" : "False",
        reason: "Observed",
        message: finding.message,
      };
    case "Unapproved":
      return { type: "Ready", status: "False", reason: "ApprovalRequired", message: finding.message };
    case "Waiting":
    case "Stalled":
    case "Failing":
      return { type: "Ready", status: "False", reason: finding.reason, message: finding.message };
  }
}

function statesOf(finding: Finding): readonly State[] {
  const ready = readyState(finding);
  switch (finding.kind) {
    case "Ready":
      return [ready, { type: "DatabaseReachable", status: "True", reason: "Connected", message: "" }];
    case "Faulty": {
      const stalled: State = { ...ready, type: "Stalled", status: "True" };
      if (finding.reason !== "OwnershipConflict") return [ready, stalled];
      return [ready, stalled, { ...ready, type: "OwnershipConflict", status: "True" }];
    }
    case "Drifted":
    case "Suspended":
    case "Observed":
      return [ready];
    case "Waiting":
      return [ready, { ...ready, type: "Reconciling", status: "True" }];
    case "Unapproved": {
      const required: State = { ...ready, type: "ApprovalRequired", status: "True", reason: "PlanNotApproved" };
      return [ready, { ...ready, type: "Reconciling", status: "True" }, required];
    }
    case "Stalled":
      return [ready, { ...ready, type: "Stalled", status: "True" }];
    case "Failing": {
      const reconciling: State = { ...ready, type: "Reconciling", status: "True", message: "retrying" };
      if (finding.databaseReachable) return [ready, reconciling];
      return [ready, reconciling, { ...ready, type: "DatabaseReachable", status: "False" }];
    }
  }
}

/** What the spec names and is otherwise makes the table unready; what it does not name is only told. */
function driftedState(finding: Finding, drift: Drift): State | undefined {
  if (drift.named.length + drift.unnamed.length === 0) return undefined;
  const reason = drift.named.length === 0
    ? "NotInSpec"
    : finding.kind === "Faulty"
    ? "CorrectionRefused"
    : "ChangedByHand";
  return { type: DRIFTED, status: "True", reason, message: describeDrift(drift) };
}

/** A failure that came before the plan says nothing of it: the one of this generation is still to run. */
function nextPlan({ metadata, status }: DatabaseTable, { finding, plan }: Report): PlanStatus | undefined {
  const isStillDue = finding.kind === "Failing" && status?.observedGeneration === metadata.generation;
  return plan ?? (isStillDue ? status.plan : undefined);
}

function nextApplied(
  before: DatabaseTableStatus["applied"],
  { finding, ran }: Report,
  now: string,
): DatabaseTableStatus["applied"] {
  if (finding.kind !== "Ready") return before;
  return before?.hash === finding.specHash && ran === undefined ? before : { hash: finding.specHash, time: now };
}

function nextHistory(
  before: DatabaseTableStatus["history"],
  { ran }: Report,
  time: string,
): DatabaseTableStatus["history"] {
  if (ran === undefined) return before;
  const { change, statements } = ran;
  const sql = clip(statements.join("; "), MAX_SQL);
  const entry: HistoryEntry = { time, change, statements: statements.length, ...(sql === "" ? {} : { sql }) };
  return [...before ?? [], entry].slice(-MAX_HISTORY);
}

function observedOf(finding: Finding): DatabaseTableStatus["observed"] | undefined {
  if (finding.kind !== "Ready") return undefined;
  const { relation: { oid, rowEstimate, totalBytes }, database, databaseId, server } = finding;
  const where = { database, ...present("databaseId", databaseId), ...present("server", server) };
  return { oid, ...present("rowEstimate", rowEstimate), totalBytes, ...where };
}

function nameOf(relation: Relation): string {
  return `${relation.schema}.${relation.name}`;
}

function present<K extends string, V>(name: K, value: V | undefined): { readonly [Name in K]?: V } {
  return value === undefined ? {} : { [name]: value } as { readonly [Name in K]?: V };
}

function listOrNothing<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

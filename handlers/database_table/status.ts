import type { DatabaseTable, DatabaseTableStatus, PlanStatus } from "../../crds/database_table/types.ts";
import { type FieldError, formatFieldError } from "../../crds/field_error.ts";
import { type Condition, type ConditionState, removeCondition, setCondition } from "../../crds/meta.ts";
import type { Relation } from "../../postgres/catalog/catalog.ts";

/** What a reconcile found, as far as users need to know it. */
export type Finding = Found & {
  /** What has yet to run. */
  readonly plan?: PlanStatus;
};

type Found =
  | { readonly kind: "Ready"; readonly relation: Relation }
  /** The user must change something; nothing is retried before. */
  | {
    readonly kind: "Faulty";
    readonly reason: "InvalidSpec" | "PlanRefused" | "OwnershipConflict";
    readonly errors: readonly FieldError[];
  }
  /** All is well but for something that somebody else makes; it is looked for again. */
  | { readonly kind: "Waiting"; readonly reason: string; readonly message: string }
  /** Somebody must approve the plan. */
  | { readonly kind: "Unapproved"; readonly message: string }
  /** Somebody must do something that is not a change of the spec. */
  | { readonly kind: "Stalled"; readonly reason: string; readonly message: string }
  /** Something outside is wrong; it is retried. */
  | {
    readonly kind: "Failing";
    readonly reason: string;
    readonly message: string;
    readonly databaseReachable: boolean;
  };

/** Kubernetes refuses a condition's message above 32,768 bytes. */
const MAX_MESSAGE = 16_384;

/**
 * The status that follows from a finding. Pure; `lastTransitionTime` moves only with a condition's status.
 *
 * @param now RFC 3339, second precision.
 */
export function nextStatus(object: DatabaseTable, finding: Finding, now: string): DatabaseTableStatus {
  const observedGeneration = object.metadata.generation;
  const states = statesOf(finding).map((state) => ({ ...state, observedGeneration, message: clip(state.message) }));
  const before = object.status?.conditions ?? [];
  const kept = MANAGED.filter((type) => !states.some((state) => state.type === type))
    .reduce<readonly Condition[]>((conditions, type) => removeCondition(conditions, type), before);
  const next = {
    observedGeneration,
    message: clip(readyState(finding).message),
    conditions: states.reduce((conditions, state) => setCondition(conditions, state, now), kept),
    ...planOf(finding, object),
  };
  const observed = isSame(next, object.status)
    ? object.status?.observed
    : observedOf(finding) ?? object.status?.observed;
  return observed === undefined ? next : { ...next, observed };
}

/** A failure that came before the plan says nothing of it: the one of this generation is still to run. */
function planOf(finding: Finding, { metadata, status }: DatabaseTable): { readonly plan?: PlanStatus } {
  const isStillDue = finding.kind === "Failing" && status?.observedGeneration === metadata.generation;
  const plan = finding.plan ?? (isStillDue ? status.plan : undefined);
  return plan === undefined ? {} : { plan };
}

/** Sizes change all the time: they are brought up to date only together with something that matters. */
function isSame(next: DatabaseTableStatus, before: DatabaseTableStatus | undefined): boolean {
  if (before?.observed === undefined) return false;
  return JSON.stringify(inOrder(next)) === JSON.stringify(inOrder({ ...before, observed: undefined }));
}

/** The API server keeps no order of members. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(members.map(([name, member]) => [name, inOrder(member)]));
}

/** Types that this handler writes; others in the list belong to somebody else and stay. */
const MANAGED = ["Ready", "Reconciling", "Stalled", "ApprovalRequired", "OwnershipConflict", "DatabaseReachable"];

type State = Omit<ConditionState, "observedGeneration">;

function readyState(finding: Finding): State {
  switch (finding.kind) {
    case "Ready":
      return {
        type: "Ready",
        status: "True",
        reason: "Reconciled",
        message: `table ${nameOf(finding.relation)} is as the spec says`,
      };
    case "Faulty":
      return {
        type: "Ready",
        status: "False",
        reason: finding.reason,
        message: finding.errors.map(formatFieldError).join("; "),
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

function observedOf(finding: Finding): DatabaseTableStatus["observed"] | undefined {
  if (finding.kind !== "Ready") return undefined;
  const { oid, rowEstimate, totalBytes } = finding.relation;
  return rowEstimate === undefined ? { oid, totalBytes } : { oid, rowEstimate, totalBytes };
}

function nameOf(relation: Relation): string {
  return `${relation.schema}.${relation.name}`;
}

function clip(text: string): string {
  return text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE - 1)}…`;
}

import { type FieldError, formatFieldError } from "../../crds/field_error.ts";
import { type Condition, type ConditionState, removeCondition, setCondition } from "../../crds/meta.ts";
import type { Sample, SampleStatus } from "../../crds/sample/types.ts";
import { OTHER_OPERATOR_ACTIVE } from "../kopf_takeover.ts";

/** What a reconcile found. */
export type Finding =
  | { readonly kind: "Scaled"; readonly count: number; readonly available: number }
  /** The user must change something. */
  | { readonly kind: "Refused"; readonly reason: "InvalidSpec" | "NameTaken"; readonly errors: readonly FieldError[] }
  /** A person must mend something outside of the spec. */
  | { readonly kind: "Stalled"; readonly reason: string; readonly message: string };

/** Types that this handler writes; others in the list belong to somebody else and stay. */
const MANAGED = ["Ready", "Reconciling", "Stalled"];

/**
 * The status that follows from what was found. Pure; `lastTransitionTime` moves only with a condition's status.
 *
 * @param now RFC 3339, second precision.
 */
export function nextStatus(sample: Sample, finding: Finding, now: string): SampleStatus {
  const observedGeneration = sample.metadata.generation;
  const states = statesOf(finding).map((state) => ({ ...state, observedGeneration }));
  const kept = MANAGED.filter((type) => !states.some((state) => state.type === type))
    .reduce<readonly Condition[]>(removeCondition, sample.status?.conditions ?? []);
  return {
    observedGeneration,
    message: states[0]?.message ?? "",
    conditions: states.reduce((conditions, state) => setCondition(conditions, state, now), kept),
  };
}

/** Reasons of `Ready` when the Deployment is made. */
const SCALED = "Scaled";
const SCALING = "Scaling";
/** Another operator is only told of what was made before it came. */
const MADE_REASONS: readonly string[] = [SCALED, SCALING, OTHER_OPERATOR_ACTIVE.reason];

/** Whether a status says that the Deployment is made. Pure. */
export function isMade(status: SampleStatus | undefined): boolean {
  return status?.conditions?.some(({ type, reason }) => type === "Ready" && MADE_REASONS.includes(reason)) ?? false;
}

type State = Omit<ConditionState, "observedGeneration">;

function statesOf(finding: Finding): readonly State[] {
  switch (finding.kind) {
    case "Scaled": {
      const message = `${finding.available} of ${finding.count} Pods are available`;
      if (finding.available >= finding.count) return [{ type: "Ready", status: "True", reason: SCALED, message }];
      const state = { reason: SCALING, message };
      return [{ type: "Ready", status: "False", ...state }, { type: "Reconciling", status: "True", ...state }];
    }
    case "Refused":
      return stalled({ reason: finding.reason, message: finding.errors.map(formatFieldError).join("; ") });
    case "Stalled":
      return stalled({ reason: finding.reason, message: finding.message });
  }
}

function stalled(state: Pick<State, "reason" | "message">): readonly State[] {
  return [{ type: "Ready", status: "False", ...state }, { type: "Stalled", status: "True", ...state }];
}

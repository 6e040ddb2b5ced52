import { type FieldError, formatFieldError } from "../../crds/field_error.ts";
import { type Condition, type ConditionState, removeCondition, setCondition } from "../../crds/meta.ts";
import type { Sample, SampleStatus } from "../../crds/sample/types.ts";

/** What a reconcile found. */
export type Finding =
  | { readonly kind: "Scaled"; readonly count: number; readonly available: number }
  /** The user must change something. */
  | { readonly kind: "Refused"; readonly reason: "InvalidSpec" | "NameTaken"; readonly errors: readonly FieldError[] };

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

type State = Omit<ConditionState, "observedGeneration">;

function statesOf(finding: Finding): readonly State[] {
  switch (finding.kind) {
    case "Scaled": {
      const message = `${finding.available} of ${finding.count} Pods are available`;
      if (finding.available >= finding.count) return [{ type: "Ready", status: "True", reason: "Scaled", message }];
      const state = { reason: "Scaling", message };
      return [{ type: "Ready", status: "False", ...state }, { type: "Reconciling", status: "True", ...state }];
    }
    case "Refused": {
      const state = { reason: finding.reason, message: finding.errors.map(formatFieldError).join("; ") };
      return [{ type: "Ready", status: "False", ...state }, { type: "Stalled", status: "True", ...state }];
    }
  }
}

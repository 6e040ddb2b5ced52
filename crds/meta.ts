/** The part of `metav1.ObjectMeta` that the operator reads. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly generation: number;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** One entry of `status.conditions`, as in `metav1.Condition`. */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly observedGeneration: number;
  /** RFC 3339, second precision: when `status` last changed. */
  readonly lastTransitionTime: string;
  /** CamelCase, for programs. */
  readonly reason: string;
  /** For people. */
  readonly message: string;
}

/** A condition as a caller states it; the time of the transition follows from what stood before. */
export type ConditionState = Omit<Condition, "lastTransitionTime">;

/**
 * Puts a condition into a list: the time moves only when the status changes, the order of the list stays.
 *
 * @param now RFC 3339, second precision.
 *
 * @example The time of a condition that keeps its status stays
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const ready = { type: "Ready", status: "True", observedGeneration: 1, reason: "Applied", message: "" } as const;
 * const before = setCondition([], ready, "2026-01-01T00:00:00Z");
 * const after = setCondition(before, { ...ready, observedGeneration: 2 }, "2026-01-02T00:00:00Z");
 * assertEquals(after[0].lastTransitionTime, "2026-01-01T00:00:00Z");
 * ```
 */
export function setCondition(
  conditions: readonly Condition[],
  state: ConditionState,
  now: string,
): readonly Condition[] {
  const before = conditions.find((condition) => condition.type === state.type);
  const lastTransitionTime = before?.status === state.status ? before.lastTransitionTime : now;
  const next: Condition = { ...state, lastTransitionTime };
  if (before === undefined) return [...conditions, next];
  return conditions.map((condition) => (condition === before ? next : condition));
}

/** The list without the condition of that type. */
export function removeCondition(conditions: readonly Condition[], type: string): readonly Condition[] {
  return conditions.filter((condition) => condition.type !== type);
}

import { type FieldError, formatFieldError } from "../../../crds/field_error.ts";
import type { Situation } from "../../../postgres/situation/situation.ts";
import { conflictError } from "./conflict.ts";
import { type JudgedPlan, judgeSituation } from "./judge.ts";
import type { UnderstoodSpec } from "../spec/understand.ts";

/** What an update is judged by. */
export interface JudgedUpdate {
  readonly next: UnderstoodSpec;
  readonly old: UnderstoodSpec | undefined;
  readonly situation: Situation | undefined;
  readonly judged: JudgedPlan | undefined;
  /** Faults beside those of the spec itself and its plan. */
  readonly others: readonly FieldError[];
}

/** Faults that the update brings, and faults that stood before it. */
export interface SortedFaults {
  readonly fresh: readonly FieldError[];
  readonly standing: readonly FieldError[];
}

/**
 * Ratcheting: what was wrong before the update and still is, is no reason to refuse the update; otherwise an object that
 * became invalid could never be mended step by step.
 */
export async function sortFaults(update: JudgedUpdate): Promise<SortedFaults> {
  const { next, old, situation, judged, others } = update;
  const known = await knownFaults(old, situation);
  const faults = [
    ...[...next.errors, ...others].map((error) => ({ error, isKnown: known.texts.has(formatFieldError(error)) })),
    ...conflictsOf(situation).map((error) => ({ error, isKnown: keepsName(next, old) })),
    ...(judged?.refused ?? []).map(({ cause, error }) => ({ error, isKnown: known.causes.has(cause) })),
  ];
  return {
    fresh: faults.filter(({ isKnown }) => !isKnown).map(({ error }) => error),
    standing: faults.filter(({ isKnown }) => isKnown).map(({ error }) => error),
  };
}

async function knownFaults(
  old: UnderstoodSpec | undefined,
  situation: Situation | undefined,
): Promise<{ readonly texts: ReadonlySet<string>; readonly causes: ReadonlySet<string> }> {
  const before = old?.desired === undefined || situation === undefined
    ? undefined
    : await judgeSituation(old.desired, situation);
  return {
    texts: new Set((old?.errors ?? []).map(formatFieldError)),
    causes: new Set((before?.refused ?? []).map(({ cause }) => cause)),
  };
}

function conflictsOf(situation: Situation | undefined): readonly FieldError[] {
  return situation?.kind === "conflict" ? [conflictError(situation.conflict)] : [];
}

/** A conflict that stood before the update is no reason to refuse it: the update may be the first step out. */
function keepsName(next: UnderstoodSpec, old: UnderstoodSpec | undefined): boolean {
  return old?.desired?.table !== undefined && old.desired.table.name === next.desired?.table?.name;
}

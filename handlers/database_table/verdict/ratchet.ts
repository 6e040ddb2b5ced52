import { type FieldError, formatFieldError } from "../../../crds/field_error.ts";
import type { Situation } from "../../../postgres/situation/situation.ts";
import { conflictError } from "./conflict.ts";
import type { DesiredTable } from "../spec/desired.ts";
import type { UnderstoodSpec } from "../spec/understand.ts";
import { type JudgedPlan, judgeSituation } from "./judge.ts";

/** What an update is judged by. */
export interface JudgedUpdate {
  readonly next: UnderstoodSpec;
  readonly old: UnderstoodSpec | undefined;
  readonly situation: Situation | undefined;
  readonly judged: JudgedPlan | undefined;
  /** Faults beside those of the spec itself and its plan. */
  readonly others: readonly FieldError[];
  /** Looks at the old spec as the database sees it; asked only when there is something that may have stood before. */
  readonly lookBack: () => Promise<Before>;
}

/** What the database says of the old spec. */
export interface Before {
  /** With the schemas of its types; `undefined` if it names no table. */
  readonly desired: DesiredTable | undefined;
  readonly faults: readonly FieldError[];
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
  const known = await knownFaults(update);
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

interface KnownFaults {
  readonly texts: ReadonlySet<string>;
  readonly causes: ReadonlySet<string>;
}

async function knownFaults({ old, situation, judged, others, lookBack }: JudgedUpdate): Promise<KnownFaults> {
  const texts = (old?.errors ?? []).map(formatFieldError);
  const mayStand = situation !== undefined && others.length + (judged?.refused ?? []).length > 0;
  if (old === undefined || !mayStand) return { texts: new Set(texts), causes: new Set() };
  const { desired, faults } = await lookBack();
  const before = desired === undefined ? undefined : await judgeSituation(desired, situation);
  return {
    texts: new Set([...texts, ...faults.map(formatFieldError)]),
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

import type { Relation } from "../catalog/catalog.ts";
import type { Targets } from "../catalog/target.ts";
import type { PlannedTable } from "../plan/planning.ts";
import type { Step } from "../plan/step.ts";
import type { OwnedTable } from "../registry/registry.ts";
import type { ApplyOutcome } from "./request.ts";

/** What a transaction saw of its table behind its own statements. */
export interface Behind {
  readonly relation: Relation;
  /** The registry's row as the transaction wrote it. */
  readonly recorded: Promise<OwnedTable | undefined>;
  readonly targets: Targets;
  readonly version: number;
}

/** What one round of an apply did. */
export type Round<F> =
  | {
    readonly kind: "ran";
    readonly step: Step;
    readonly created: boolean;
    readonly adopted: boolean;
    /** Absent: what stands there now, only a look tells. */
    readonly behind?: Behind;
  }
  /** What was planned is not true any more. */
  | { readonly kind: "again" }
  | { readonly kind: "end"; readonly outcome: ApplyOutcome<F> };

/** Ends the transaction without its effects and carries the round out of it. */
export class RolledBack extends Error {
  readonly round: Round<unknown>;

  constructor(round: Round<unknown>) {
    super("rolled back");
    this.round = round;
  }
}

/** What the work came to, also if it rolled its transaction back on purpose. */
export async function roundOf<F>(work: Promise<Round<F>>): Promise<Round<F>> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RolledBack) return error.round as Round<F>;
    throw error;
  }
}

/** The last round. */
export function end<F>(outcome: ApplyOutcome<F>): Round<F> {
  return { kind: "end", outcome };
}

/** Nothing is left to do. */
export function done<F>(relation: Relation, plan: PlannedTable): Extract<ApplyOutcome<F>, { readonly kind: "done" }> {
  return { kind: "done", statements: [], created: false, adopted: false, relation, waiting: plan.waiting };
}

import type { DriftAction } from "../../../crds/database_table/types.ts";
import type { PlannedTable, WantedTable } from "../../../postgres/plan/planning.ts";
import type { Situation } from "../../../postgres/situation/situation.ts";
import type { DesiredTable } from "../spec/desired.ts";
import { type Drift, driftOf, NO_DRIFT, saysTableMissing } from "../drift/drift.ts";
import { faultsOf, type Objection } from "./objections.ts";
import { refusePlan } from "./policy.ts";

export interface JudgedSpec {
  readonly desired: DesiredTable;
  readonly wanted: WantedTable;
  readonly specHash: string;
  /** Whether the status says that this very table was reached before. */
  readonly wasReached: boolean;
  readonly driftAction: DriftAction;
}

/**
 * Judges every plan of one reconcile, and remembers what it saw. A plan for a spec that was reached before is drift: then
 * `drift.action` decides whether it may run, and the change policy what of it. A spec that changed is applied as a whole,
 * with what drifted: its author has read that plan.
 */
export class PlanJudge {
  readonly #spec: JudgedSpec;
  #found: Drift | undefined;
  #left: Drift = NO_DRIFT;
  #situation: Situation | undefined;

  constructor(spec: JudgedSpec) {
    this.#spec = spec;
  }

  /** What was otherwise before anything ran. */
  get found(): Drift {
    return this.#found ?? NO_DRIFT;
  }

  /** What is otherwise since the last look, as far as it is to be told. */
  get left(): Drift {
    return this.#isIgnored(this.#left) ? NO_DRIFT : this.#left;
  }

  /** Whether changes by hand are left and not told. */
  get ignoresDrift(): boolean {
    return this.#spec.driftAction === "Ignore";
  }

  /** The table as it was last seen, if nothing is to be said of its drift although it was held. */
  get ignored(): Extract<Situation, { readonly kind: "owned" }> | undefined {
    return this.#situation?.kind === "owned" && this.#isIgnored(this.#left) ? this.#situation : undefined;
  }

  /** See `Judge`. */
  judge(plan: PlannedTable, situation: Situation): readonly Objection[] {
    if (this.holds(plan, situation)) return [{ kind: "Held" }];
    return faultsOf(refusePlan({ desired: this.#spec.desired, plan, situation }).map(({ error }) => error));
  }

  /** Whether the plan would undo what somebody did by hand, and the spec says to leave that. */
  holds(plan: PlannedTable, situation: Situation): boolean {
    const { wanted, driftAction } = this.#spec;
    const drift = driftOf(wanted, plan, situation);
    this.#situation = situation;
    this.#left = this.#isDrift(situation) ? drift : { ...drift, named: [] };
    this.#found ??= this.#left;
    return this.#left.named.length > 0 && driftAction !== "Correct";
  }

  /** The registry must say so too: of a spec that came back quickly the one between may be half applied. */
  #isDrift(situation: Situation): boolean {
    return this.#spec.wasReached && situation.kind !== "conflict" &&
      situation.row?.specHash === this.#spec.specHash;
  }

  /** A table that is gone is never ignored. */
  #isIgnored({ named }: Drift): boolean {
    return this.ignoresDrift && !saysTableMissing(named);
  }
}

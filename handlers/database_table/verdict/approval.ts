import { type Approval, APPROVE_ANNOTATION } from "../../../crds/database_table/types.ts";
import { hashStatements } from "../../../postgres/apply/record_step.ts";
import { rememberApproval } from "../../../postgres/registry/approval.ts";
import type { Owner } from "../../../postgres/registry/registry.ts";
import type { Transaction } from "../../../postgres/session/client.ts";
import type { Statement } from "../../../postgres/statement/statement.ts";
import { type PlannedSteps, statementsOfPlan } from "../plan_status.ts";

/** A plan that nobody has approved. */
export interface ApprovalNeeded {
  readonly kind: "ApprovalNeeded";
  readonly hash: string;
  /** What the annotation approves instead; absent: nothing. */
  readonly approved?: string;
}

export interface ApprovalOptions {
  readonly policy: Approval;
  /** The value of the annotation. */
  readonly annotation: string | undefined;
  /** See `approvedStatements()`. */
  readonly remembered: readonly string[];
}

/** Whether a plan must be approved before it runs. */
export function needsApproval(policy: Approval, statements: readonly Statement[]): boolean {
  switch (policy) {
    case "Automatic":
      return false;
    case "Destructive":
      return statements.some(({ destructive }) => destructive);
    case "Always":
      return statements.length > 0;
  }
}

/** Says how to approve. */
export function describeApprovalNeeded({ hash, approved }: Omit<ApprovalNeeded, "kind">): string {
  const other = approved === undefined ? "" : ` (${APPROVE_ANNOTATION} is ${excerptOf(approved)}, another plan)`;
  return `plan ${hash} waits for approval${other}: kubectl annotate --overwrite databasetable NAME ` +
    `${APPROVE_ANNOTATION}=${hash}`;
}

function excerptOf(text: string): string {
  return /^[0-9a-f]{12}$/.test(text) ? text : "no hash of a plan";
}

/**
 * Decides about the plans of one object during one reconcile. What is approved is a list of statements: after each step
 * the rest of it needs no new approval, also after a crash, since the list stands in the registry from the first step on.
 */
export class PlanApproval {
  readonly #options: ApprovalOptions;
  /** What the annotation approved in this reconcile. */
  #granted: { readonly planHash: string; readonly statements: readonly string[] } | undefined;

  constructor(options: ApprovalOptions) {
    this.#options = options;
  }

  /** Whether nobody is ever asked. */
  get isAutomatic(): boolean {
    return this.#options.policy === "Automatic";
  }

  /** Whether something was approved that must be forgotten when the plan is done. */
  get isHeld(): boolean {
    const { annotation, remembered } = this.#options;
    return annotation !== undefined || remembered.length > 0;
  }

  /**
   * Why the plan must wait; `undefined` if it may run. Foreign keys to tables that are not there yet are approved with the
   * rest; of those alone nobody is asked before they can run.
   */
  async objection(plan: PlannedSteps): Promise<ApprovalNeeded | undefined> {
    const { policy, annotation, remembered } = this.#options;
    const statements = statementsOfPlan(plan);
    if (plan.steps.length === 0 || !needsApproval(policy, statements)) return undefined;
    const texts = statements.map(({ sql }) => sql);
    if (isRestOf(texts, remembered) || isRestOf(texts, this.#granted?.statements ?? [])) return undefined;
    const hash = hashStatements(statements);
    if (hash !== annotation) {
      return { kind: "ApprovalNeeded", hash, ...(annotation === undefined ? {} : { approved: annotation }) };
    }
    this.#granted = { planHash: hash, statements: texts };
    return undefined;
  }

  /** Writes down what the annotation approved, in the transaction that begins or continues it. */
  async record(transaction: Transaction, owner: Owner): Promise<void> {
    if (this.#granted !== undefined) await rememberApproval(transaction, owner, this.#granted);
  }
}

function isRestOf(statements: readonly string[], approved: readonly string[]): boolean {
  const start = approved.length - statements.length;
  return start >= 0 && statements.every((sql, index) => sql === approved[start + index]);
}

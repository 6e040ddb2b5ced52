import type { Step } from "../plan/step.ts";
import { PostgresError } from "../session/errors.ts";
import type { ApplyLimits } from "./request.ts";

/** `query_canceled`. */
const CANCELED = "57014";
/** A reconcile waits for so long in any case. */
const ORDINARY_MS = 60_000;

/** A statement was undone because it ran too long: it would run as long again. */
export class StatementTimeout extends PostgresError {
  readonly limitMs: number;
  /** Of its step, in their order. */
  readonly statements: readonly string[];

  constructor(step: Step, limitMs: number) {
    super(`A statement ran longer than ${limitMs} ms and was undone`, { kind: "condition", sqlstate: CANCELED });
    this.limitMs = limitMs;
    this.statements = step.statements.map(({ sql }) => sql);
  }
}

/**
 * Whether nobody waits for a step, however long it takes: VALIDATE reads every row under SHARE UPDATE EXCLUSIVE, which stops
 * nothing but another change of the table.
 */
export function stopsNobody({ changes }: Step): boolean {
  return changes.length > 0 && changes.every(({ kind }) => kind === "ValidateConstraint");
}

/**
 * Stops the clock of whoever waits: for ever where nothing limits the step, else for as long as the server lets it run.
 *
 * @returns `undefined` if the step must not begin now.
 */
function pauseFor(step: Step, { pause, statementTimeoutMs }: ApplyLimits): (() => void) | undefined {
  const { kind, statements } = step;
  if (pause === undefined) return () => {};
  if (kind === "Concurrent" || stopsNobody(step)) return pause(Infinity);
  if (statementTimeoutMs <= ORDINARY_MS && !statements.some(({ rewrites }) => rewrites)) return () => {};
  return pause(statements.length * statementTimeoutMs + ORDINARY_MS);
}

/**
 * Runs a step that may take long, with the limits that it needs.
 *
 * @returns `undefined` if it must not begin now: nothing ran.
 * @throws {StatementTimeout} where the server ended a statement because of the limit.
 */
export async function withTime<T>(
  step: Step | undefined,
  limits: ApplyLimits,
  run: (limits: ApplyLimits) => Promise<T>,
): Promise<T | undefined> {
  if (step === undefined) return await run(limits);
  const { statementTimeoutMs, signal } = limits;
  const isPatient = stopsNobody(step);
  const resume = pauseFor(step, limits);
  if (resume === undefined) return undefined;
  const startedAt = performance.now();
  try {
    return await run(isPatient ? { ...limits, statementTimeoutMs: 0 } : limits);
  } catch (error) {
    const isCanceled = error instanceof PostgresError && error.sqlstate === CANCELED && !signal.aborted;
    const isOver = !isPatient && step.kind === "Transaction" && performance.now() - startedAt >= statementTimeoutMs;
    throw isCanceled && isOver ? new StatementTimeout(step, statementTimeoutMs) : error;
  } finally {
    resume();
  }
}

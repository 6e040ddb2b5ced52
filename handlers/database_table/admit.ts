import { isObject } from "../../crds/decode_fields.ts";
import { APPROVE_ANNOTATION, TAKE_OVER_ANNOTATION } from "../../crds/database_table/types.ts";
import { tableSpecWarnings, validateTableUpdate } from "../../crds/database_table/validate.ts";
import { type FieldError, forbidden, formatFieldError } from "../../crds/field_error.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import { ParseBudget, REVIEW_BUDGET_MS } from "../../postgres/text/parse_budget.ts";
import type { Situation } from "../../postgres/situation/situation.ts";
import type { AdmissionRequest, Verdict } from "../admission/admission_review.ts";
import { DatabaseUnusable } from "./server/unavailable.ts";
import { describeApprovalNeeded, PlanApproval } from "./verdict/approval.ts";
import { judgeBlindly, type JudgedPlan, judgeSituation } from "./verdict/judge.ts";
import type { LiveCatalog, Look, Question } from "./verdict/live_catalog.ts";
import { askEverything, schemaFaults, unique, whyLocked } from "./verdict/live_verdict.ts";
import { originOf } from "./spec/origin.ts";
import { previewLines } from "./verdict/preview.ts";
import { type Before, type SortedFaults, sortFaults } from "./verdict/ratchet.ts";
import { understandSpec, type UnderstoodSpec } from "./spec/understand.ts";

/** For the texts of the old spec that the new one has not: they were within a budget when they came, maybe on a faster machine. */
const OLD_BUDGET_MS = 2 * REVIEW_BUDGET_MS;

/** What admission works with. */
export interface AdmissionContext {
  readonly catalog: LiveCatalog;
  readonly isNamespaceTerminating: (namespace: string, signal: AbortSignal) => Promise<boolean>;
  /** Milliseconds, from any beginning. */
  readonly now: () => number;
  readonly logger: Logger;
}

/**
 * Judges one review of a DatabaseTable. Writes nothing, so that it is safe under dry-run; what it says of the live catalog
 * may be stale a moment later, which is why the loop asks everything again before it runs a statement.
 */
export async function admitTable(
  request: AdmissionRequest,
  context: AdmissionContext,
  signal: AbortSignal,
): Promise<Verdict> {
  if (request.operation === "DELETE") return await admitDelete(request, context, signal);
  const { object, oldObject } = request;
  // A deletion drops what the registry says, whatever a terminating object's spec has become.
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return allowed([]);
  const budget = new ParseBudget(REVIEW_BUDGET_MS, context.now);
  const next = await understandSpec(object.spec, originOf(object), budget);
  const oldBudget = new ParseBudget(OLD_BUDGET_MS, context.now);
  const old = oldObject === undefined
    ? undefined
    : await understandSpec(oldObject.spec, originOf(oldObject), oldBudget);
  const view = await observe({ request, next, old }, context, signal);
  const lookBack = () => lookAtOld({ request, old }, context, signal);
  return await combine({ next, old, view, lookBack, approved: object.metadata.annotations?.[APPROVE_ANNOTATION] });
}

/** `Forbid` holds here and in a static policy; a namespace that goes away is never blocked. */
async function admitDelete(
  request: AdmissionRequest,
  context: AdmissionContext,
  signal: AbortSignal,
): Promise<Verdict> {
  const spec = request.oldObject?.spec;
  if (!isObject(spec) || spec["deletionPolicy"] !== "Forbid") return allowed([]);
  if (await context.isNamespaceTerminating(request.namespace, signal)) return allowed([]);
  return denied([forbidden(
    "spec.deletionPolicy",
    "is Forbid: set it to Delete (drops the table) or Retain (keeps it) before you delete the object",
  )], []);
}

/** The table as it stands, as far as it can be seen, or as the old spec promised it. */
interface View {
  readonly situation: Situation | undefined;
  readonly judged: JudgedPlan | undefined;
  /** Faults that only the live database shows: types, functions, rows, dependents. */
  readonly faults: readonly FieldError[];
  readonly warnings: readonly string[];
}

interface Specs {
  readonly next: UnderstoodSpec;
  readonly old: UnderstoodSpec | undefined;
}

async function observe(
  asked: Specs & { readonly request: AdmissionRequest },
  context: AdmissionContext,
  signal: AbortSignal,
): Promise<View> {
  const { request, next, old } = asked;
  const { desired } = next;
  const table = desired?.table;
  if (desired === undefined || table === undefined) {
    return { situation: undefined, judged: undefined, faults: [], warnings: [] };
  }
  try {
    const look = await context.catalog.look(questionOf(request, { ...desired, table }), signal);
    return await observeFurther({ next, old, look }, context, signal);
  } catch (error) {
    if (!(error instanceof PostgresError)) throw error;
    const { namespace, name } = request;
    // An object that names a server which is not there yet is no fault of anybody: whoever applies it is told.
    const level = error instanceof DatabaseUnusable ? "debug" : "warn";
    context.logger[level]("admission judges without the live catalog", { namespace, name, error });
    const basis = old === undefined ? "as for a new table" : "against the old spec";
    const why = whyLocked(error, table) ?? "the database cannot be asked now";
    const warnings = [`${why}: this plan was made ${basis}, and is made again before it runs`];
    return { situation: undefined, judged: await judgeBlindly(desired, old?.desired?.table), faults: [], warnings };
  }
}

function questionOf({ namespace, name, object, oldObject }: AdmissionRequest, desired: Question["desired"]): Question {
  // A mutating call has no uid yet, and neither has a create with generateName.
  const uid = (oldObject ?? object)?.metadata.uid ?? "";
  return { namespace, name, uid, takeOver: object?.metadata.annotations?.[TAKE_OVER_ANNOTATION], desired };
}

/** The old spec, asked about as the new one was: what is wrong with both is no reason to refuse the update. */
async function lookAtOld(
  { request, old }: { readonly request: AdmissionRequest; readonly old: UnderstoodSpec | undefined },
  { catalog }: AdmissionContext,
  signal: AbortSignal,
): Promise<Before> {
  const table = old?.desired?.table;
  if (old?.desired === undefined || table === undefined) return { desired: old?.desired, faults: [] };
  try {
    const look = await catalog.look(questionOf(request, { ...old.desired, table }), signal);
    const { desired, situation } = look;
    const judged = await judgeSituation(desired, situation);
    // Its literals are known to be good.
    const { faults } = await askEverything(catalog, { desired, previous: table, situation, judged }, signal);
    return { desired, faults: [...look.faults, ...faults, ...schemaFaults(situation)] };
  } catch (error) {
    // Then nothing is known to have stood before.
    if (error instanceof PostgresError) return { desired: old.desired, faults: [] };
    throw error;
  }
}

/** With a plan there is more to ask; what cannot be asked in time is a warning, the rest of the verdict stands. */
async function observeFurther(
  seen: Specs & { readonly look: Look },
  context: AdmissionContext,
  signal: AbortSignal,
): Promise<View> {
  const { old, look: { situation, desired, faults: types } } = seen;
  const previous = old?.desired?.table;
  // A table that cannot be managed now must not be a way around the rules: the old spec stands for it.
  const judged = situation.kind === "conflict" && previous !== undefined
    ? await judgeBlindly(desired, previous)
    : await judgeSituation(desired, situation);
  const { faults, warnings } = await askEverything(
    context.catalog,
    { desired, previous, situation, judged },
    signal,
  );
  return { situation, judged, faults: unique([...types, ...faults]), warnings };
}

async function combine(
  { next, old, view, lookBack, approved }: Specs & {
    readonly view: View;
    readonly lookBack: () => Promise<Before>;
    readonly approved: string | undefined;
  },
): Promise<Verdict> {
  const { situation, judged } = view;
  const others = [...view.faults, ...updateFaults(next, old), ...schemaFaults(situation)];
  const { fresh, standing } = await sortFaults({ next, old, situation, judged, others, lookBack });
  const warnings = warningsOf({ next, view, standing });
  if (fresh.length > 0) return denied(fresh, warnings);
  if (standing.length > 0 || judged === undefined) return allowed(warnings);
  const waits = await approvalWarning({ next, judged, approved });
  return allowed([...warnings, ...waits, ...preview(judged, situation)]);
}

function warningsOf(
  seen: { readonly next: UnderstoodSpec; readonly view: View; readonly standing: SortedFaults["standing"] },
): readonly string[] {
  const { next, view, standing } = seen;
  const waiting = (view.judged?.plan.waiting ?? []).map(({ references }) =>
    `${references.schema}.${references.table} does not exist yet: the foreign key to it waits (WaitingForReference)`
  );
  return [
    ...(next.spec === undefined ? [] : tableSpecWarnings(next.spec)),
    ...(next.desired?.warnings ?? []),
    ...view.warnings,
    ...waiting,
    ...standing.map((error) => `still refused: ${formatFieldError(error)}`),
  ];
}

function updateFaults(next: UnderstoodSpec, old: UnderstoodSpec | undefined): readonly FieldError[] {
  return next.spec === undefined || old?.spec === undefined ? [] : validateTableUpdate(next.spec, old.spec);
}

/** The loop may know that this is the rest of a plan that was approved; then it does not wait. */
async function approvalWarning(
  { next, judged, approved }: {
    readonly next: UnderstoodSpec;
    readonly judged: JudgedPlan;
    readonly approved: string | undefined;
  },
): Promise<readonly string[]> {
  const policy = next.spec?.approval ?? "Automatic";
  const needed = await new PlanApproval({ policy, annotation: approved, remembered: [] }).objection(judged.plan);
  return needed === undefined ? [] : [describeApprovalNeeded(needed)];
}

function preview({ plan }: JudgedPlan, situation: Situation | undefined): readonly string[] {
  const relation = situation?.kind === "owned" ? situation.relation : undefined;
  const lines = previewLines(plan.steps, relation);
  if (situation?.kind !== "owned" || situation.adopting !== true) return lines;
  return [`table ${situation.row.schema}.${situation.row.table} exists and is adopted`, ...lines];
}

function allowed(warnings: readonly string[]): Verdict {
  return { kind: "allowed", warnings };
}

function denied(errors: readonly FieldError[], warnings: readonly string[]): Verdict {
  return { kind: "denied", errors, warnings };
}

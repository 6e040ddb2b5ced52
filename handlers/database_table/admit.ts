import type { DefaultedTableSpec } from "../../crds/database_table/types.ts";
import { tableSpecWarnings, validateTableUpdate } from "../../crds/database_table/validate.ts";
import { type FieldError, forbidden, formatFieldError } from "../../crds/field_error.ts";
import { isObject } from "../../crds/decode_fields.ts";
import type { Logger } from "../../kube/logger.ts";
import type { Situation } from "../../postgres/situation.ts";
import { statementsFor } from "../../postgres/statement.ts";
import type { AdmissionRequest, Verdict } from "../admission_review.ts";
import { conflictError } from "./conflict.ts";
import type { DesiredTable } from "./desired.ts";
import { type JudgedPlan, judgePlan } from "./judge.ts";
import type { LiveCatalog } from "./live_catalog.ts";
import { previewLines } from "./preview.ts";
import { understandSpec, type UnderstoodSpec } from "./understand.ts";

export interface AdmissionContext {
  readonly catalog: LiveCatalog;
  readonly isNamespaceTerminating: (namespace: string, signal: AbortSignal) => Promise<boolean>;
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
  const next = await understandSpec(object.spec);
  const old = oldObject === undefined ? undefined : await understandSpec(oldObject.spec);
  const view = await observe({ request, next, old }, context, signal);
  return combine({ next, old, view });
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
  readonly columnFaults: readonly FieldError[];
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
  const desired = next.desired;
  if (desired?.table === undefined) return { situation: undefined, columnFaults: [], warnings: [] };
  const object = request.object ?? request.oldObject;
  try {
    const seen = await context.catalog.look({
      namespace: request.namespace,
      name: request.name,
      // A mutating call has no uid yet, and neither has a create with generateName.
      uid: request.oldObject?.metadata.uid ?? object?.metadata.uid ?? "",
      desired,
      previous: old?.desired?.table,
    }, signal);
    return { ...seen, warnings: [] };
  } catch (error) {
    context.logger.warn("admission judges without the live catalog", {
      namespace: request.namespace,
      name: request.name,
      error,
    });
    const basis = old === undefined ? "as for a new table" : "against the old spec";
    const warnings = [
      `the database cannot be asked now: this plan was made ${basis}, and is made again before it runs`,
    ];
    return { situation: undefined, columnFaults: [], warnings };
  }
}

function combine(judged: Specs & { readonly view: View }): Verdict {
  const { next, old, view } = judged;
  const plan = next.desired === undefined ? undefined : planFor(next.desired, old?.desired, view.situation);
  const { fresh, standing } = sortFaults(judged, plan);
  const warnings = [
    ...(next.spec === undefined ? [] : tableSpecWarnings(next.spec)),
    ...view.warnings,
    ...standing.map((error) => `still refused: ${formatFieldError(error)}`),
  ];
  if (fresh.length > 0) return denied(fresh, warnings);
  const shown = standing.length > 0 ? [] : preview(judged, plan);
  return allowed([...warnings, ...shown]);
}

/**
 * Ratcheting: what was wrong before the update and still is, is no reason to refuse the update; otherwise an object that
 * became invalid could never be mended step by step.
 */
function sortFaults(
  judged: Specs & { readonly view: View },
  plan: JudgedPlan | undefined,
): { readonly fresh: readonly FieldError[]; readonly standing: readonly FieldError[] } {
  const { next, old, view: { situation, columnFaults } } = judged;
  const known = knownFaults(old, situation);
  const faults = [
    ...[...next.errors, ...columnFaults, ...updateFaults(next.spec, old?.spec)]
      .map((error) => ({ error, isKnown: known.texts.has(formatFieldError(error)) })),
    ...situationFaults(situation).map((error) => ({ error, isKnown: keepsName(next, old) })),
    ...(plan?.refused ?? []).map(({ change, error }) => ({
      error,
      isKnown: known.changes.has(JSON.stringify(change)),
    })),
  ];
  return {
    fresh: faults.filter(({ isKnown }) => !isKnown).map(({ error }) => error),
    standing: faults.filter(({ isKnown }) => isKnown).map(({ error }) => error),
  };
}

function planFor(next: DesiredTable, old: DesiredTable | undefined, situation: Situation | undefined): JudgedPlan {
  if (situation === undefined) return judgePlan(next, old?.table, undefined);
  if (situation.kind !== "owned") return judgePlan(next, undefined, undefined);
  return judgePlan(next, situation.table, situation.row.members.constraint);
}

function knownFaults(
  old: UnderstoodSpec | undefined,
  situation: Situation | undefined,
): { readonly texts: ReadonlySet<string>; readonly changes: ReadonlySet<string> } {
  if (old === undefined) return { texts: new Set(), changes: new Set() };
  const plan = old.desired === undefined || situation === undefined
    ? undefined
    : planFor(old.desired, undefined, situation);
  return {
    texts: new Set(old.errors.map(formatFieldError)),
    changes: new Set((plan?.refused ?? []).map(({ change }) => JSON.stringify(change))),
  };
}

function updateFaults(
  next: DefaultedTableSpec | undefined,
  old: DefaultedTableSpec | undefined,
): readonly FieldError[] {
  return next === undefined || old === undefined ? [] : validateTableUpdate(next, old);
}

function situationFaults(situation: Situation | undefined): readonly FieldError[] {
  if (situation?.kind === "conflict") return [conflictError(situation.conflict)];
  if (situation?.kind !== "absent" || situation.schema.mayCreate) return [];
  return [forbidden("spec.schema", schemaFault(situation.schema.exists))];
}

/** Why no table can be made in a schema; the same words in the loop. */
export function schemaFault(exists: boolean): string {
  return exists
    ? "the operator's role may not create tables in it: GRANT USAGE, CREATE ON SCHEMA to the role first"
    : "does not exist in this database: create it first";
}

/** A conflict that stood before the update is no reason to refuse it: the update may be the first step out. */
function keepsName(next: UnderstoodSpec, old: UnderstoodSpec | undefined): boolean {
  return old?.desired?.table !== undefined && old.desired.table.name === next.desired?.table?.name;
}

function preview(judged: Specs & { readonly view: View }, plan: JudgedPlan | undefined): readonly string[] {
  const { next, old, view: { situation } } = judged;
  const desired = next.desired?.table;
  if (plan === undefined || desired === undefined) return [];
  const current = situation?.kind === "owned" ? situation.table : old?.desired?.table ?? desired;
  const rows = situation?.kind === "owned" ? situation.relation.rowEstimate : undefined;
  return previewLines(statementsFor(plan.changes, current), current, rows);
}

function allowed(warnings: readonly string[]): Verdict {
  return { kind: "allowed", warnings };
}

function denied(errors: readonly FieldError[], warnings: readonly string[]): Verdict {
  return { kind: "denied", errors, warnings };
}

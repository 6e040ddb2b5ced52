import type { Database } from "../../crds/database/types.ts";
import { isObject } from "../../crds/decode_fields.ts";
import {
  hasKopfMarks,
  KOPF_FINALIZER,
  type KopfState,
  kopfState,
  OTHER_OPERATOR_ACTIVE,
  TAKEN_OVER,
} from "../kopf_takeover.ts";
import type { DatabaseContext } from "./context.ts";
import { MESSAGE } from "./observe/labels.ts";
import type { ServedSchema } from "./objects.ts";
import { type Finding, isMade } from "./status.ts";

/** Whether an operator made with kopf has had the object before us, or works on it now. */
export function kopfStateOf({ metadata, status }: Database): KopfState {
  // The bare definition has no room for a status.
  return kopfState(metadata, isMade(status) || metadata.annotations?.[MESSAGE] !== undefined);
}

/** Why nothing may be done to the object; `undefined` if something may. `suspend` comes first: then nobody looks. */
export function otherOperator(object: Database): Finding | undefined {
  const isSuspended = isObject(object.spec) && object.spec["suspend"] === true;
  if (isSuspended || kopfStateOf(object) !== "Active") return undefined;
  return { kind: "Stalled", ...OTHER_OPERATOR_ACTIVE };
}

/** What decides whether the object may be written. */
interface Moment {
  readonly context: DatabaseContext;
  readonly schema: ServedSchema;
  readonly signal: AbortSignal;
}

/**
 * Takes away the marks of the operator before us from an object of which everything is made, unless the definition changed meanwhile: a
 * write would then store the spec without what that one hides.
 *
 * @returns the object as it stands then.
 */
export async function letGoOfKopf(object: Database, { context, schema, signal }: Moment): Promise<Database> {
  if (!hasKopfMarks(object.metadata)) return object;
  if (await context.objects.servedSchema(signal) !== schema) return object;
  const ours = await context.objects.removeKopfMarks(object, signal);
  if (ours === undefined) return object;
  context.recordEvent(ours, TAKEN_OVER);
  return ours;
}

/**
 * Lets an object go that is being deleted: all that we made has an owner, so nothing needs to be done for it. What another operator
 * works on is that one's to let go, also if the object is suspended.
 */
export async function releaseFromKopf(
  object: Database,
  context: Pick<DatabaseContext, "objects">,
  signal: AbortSignal,
): Promise<void> {
  if (kopfStateOf(object) === "Active") return;
  if (!(object.metadata.finalizers ?? []).includes(KOPF_FINALIZER)) return;
  await context.objects.removeKopfMarks(object, signal);
}

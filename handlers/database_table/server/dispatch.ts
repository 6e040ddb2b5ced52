import { isObject } from "../../../crds/decode_fields.ts";
import { type DatabaseTable, FINALIZER, RECONNECT_ANNOTATION } from "../../../crds/database_table/types.ts";
import { forbidden } from "../../../crds/field_error.ts";
import type { ReconcileResult } from "../../../kube/queue/controller.ts";
import type { Pause } from "../../../kube/queue/deadline.ts";
import type { AdmissionRequest, Verdict } from "../../admission/admission_review.ts";
import { KOPF_FINALIZER } from "../../kopf_takeover.ts";
import { type AdmissionContext, admitTable } from "../admit.ts";
import { type DatabaseReference, formerServerOf, referenceOf } from "./database_reference.ts";
import { WaitTimes } from "../wait_times.ts";
import { EndlessWork } from "./endless_work.ts";
import { type ServedDatabase, serveNothing, type ServingContext } from "./served_database.ts";
import type { Asker, Found, ServedDatabases } from "./served_databases.ts";
import { DatabaseUnusable, type Unavailability } from "./unavailable.ts";

/** A review may follow right after what it depends on. */
const REVIEW_MAX_AGE_MS = 1_000;

/** Leads each object to the database that it names, at admission and in the loop. */
export class TableDispatch {
  readonly #databases: ServedDatabases;
  readonly #serving: ServingContext;
  readonly #admission: Omit<AdmissionContext, "catalog">;
  /** By `namespace/name`: the value of the annotation that was last obeyed. */
  readonly #reconnects = new Map<string, string | undefined>();
  readonly #endless = new EndlessWork();
  /** Of objects that are being deleted and whose server cannot be used. */
  readonly #waits = new WaitTimes();

  constructor(
    databases: ServedDatabases,
    serving: ServingContext,
    admission: Omit<AdmissionContext, "catalog">,
  ) {
    this.#databases = databases;
    this.#serving = serving;
    this.#admission = admission;
  }

  /** @throws what the controller must retry; see `TableReconciler.reconcile()`. */
  async reconcile(object: DatabaseTable, signal: AbortSignal, pause: Pause): Promise<ReconcileResult> {
    const { namespace, name, deletionTimestamp } = object.metadata;
    const isLeaving = deletionTimestamp !== undefined;
    const asker = { reference: referenceOf(object.spec, namespace), namespace, isLeaving };
    this.#databases.hold(`${namespace}/${name}`, asker);
    const found = await this.#find(object, asker, signal);
    this.#leaveOthers(`${namespace}/${name}`, found);
    if (found.kind === "served") return await this.#reconcileIn(found.server, object, { signal, pause });
    const { why } = found.error;
    if (isLeaving && (why.kind === "gone" || why.kind === "refused")) return await this.#release(object, why, signal);
    const result = await serveNothing(found.error, this.#serving).reconciler.reconcile(object, signal, pause);
    // Whoever deletes waits for it, and what a server that goes away tells may be over before we look: nobody tells it twice.
    return isLeaving ? { requeueAfterMs: this.#waits.next(`${namespace}/${name}`) } : result;
  }

  /** A turn that it waited for elsewhere is another one's. */
  #leaveOthers(key: string, found: Found): void {
    for (const server of this.#databases.servers) {
      if (found.kind !== "served" || server !== found.server) server.turns.forget(key);
    }
  }

  /** Without a turn it returns at once, and the object is brought back. */
  async #reconcileIn(
    { turns, reconciler }: ServedDatabase,
    object: DatabaseTable,
    clock: { readonly signal: AbortSignal; readonly pause: Pause },
  ): Promise<ReconcileResult> {
    const key = `${object.metadata.namespace}/${object.metadata.name}`;
    if (!turns.take(key, () => this.#databases.bringBack(key))) return { isPostponed: true };
    try {
      return await this.#endless.run(object, clock, ({ signal, pause }) => reconciler.reconcile(object, signal, pause));
    } finally {
      turns.end();
    }
  }

  /** To be told of every version of an object before it is reconciled. */
  see(object: DatabaseTable): void {
    this.#serving.objects.kindEnd.see(object);
    this.#endless.see(object);
  }

  /** The object of that key is gone. */
  forget(key: string): void {
    this.#serving.objects.kindEnd.forget(key);
    this.#reconnects.delete(key);
    this.#waits.forget(key);
    this.#databases.forget(key);
    for (const { reconciler, turns } of this.#databases.servers) {
      reconciler.forget(key);
      turns.forget(key);
    }
  }

  /** Judges one review with the catalog of the database that the object names; of one that cannot be used it says why. */
  async validate(request: AdmissionRequest, signal: AbortSignal): Promise<Verdict> {
    const { operation, object, namespace } = request;
    const isJudged = operation !== "DELETE" && object?.metadata.deletionTimestamp === undefined &&
      isObject(object?.spec);
    if (!isJudged) return await this.#admit(request, NOT_ASKED, signal);
    const reference = referenceOf(object.spec, namespace);
    // That fault is told by whoever reads the whole spec.
    if (reference === undefined) return await this.#admit(request, NOT_ASKED, signal);
    const found = await this.#databases.find({ reference, namespace }, { maxAgeMs: REVIEW_MAX_AGE_MS, signal });
    const verdict = await this.#admit(request, found, signal);
    return found.kind === "served" ? verdict : withWhy(verdict, found.error.why, operation === "CREATE");
  }

  async #admit(request: AdmissionRequest, found: Found, signal: AbortSignal): Promise<Verdict> {
    const { catalog } = found.kind === "served" ? found.server : serveNothing(found.error, this.#serving);
    return await admitTable(request, { ...this.#admission, catalog }, signal);
  }

  async #find(object: DatabaseTable, asker: Asker, signal: AbortSignal): Promise<Found> {
    const former = asker.reference === undefined ? undefined : formerServerOf(object, asker.reference);
    if (former !== undefined) {
      return { kind: "unusable", error: new DatabaseUnusable(movedAway(former, asker.reference)) };
    }
    const isAsked = this.#isReconnectAsked(object);
    // What is dropped must not rest on what was true a minute ago.
    const mustBeNew = isAsked || asker.isLeaving === true;
    return await this.#databases.find(asker, mustBeNew ? { maxAgeMs: 0, signal } : { signal });
  }

  #isReconnectAsked({ metadata }: DatabaseTable): boolean {
    const key = `${metadata.namespace}/${metadata.name}`;
    const value = metadata.annotations?.[RECONNECT_ANNOTATION];
    const isNew = this.#reconnects.has(key) && this.#reconnects.get(key) !== value;
    this.#reconnects.set(key, value);
    return isNew && value !== undefined;
  }

  /** Nobody can drop the table any more, or may: the object does not wait for that. */
  async #release(object: DatabaseTable, { message }: Unavailability, signal: AbortSignal): Promise<ReconcileResult> {
    const { objects, recordEvent } = this.#serving;
    const current = await objects.read(object, signal);
    if (current === undefined || current.metadata.uid !== object.metadata.uid) return {};
    const held = current.metadata.finalizers ?? [];
    if (!held.includes(FINALIZER) && !held.includes(KOPF_FINALIZER)) return {};
    const note = `the object goes and nothing is dropped, wherever its table is: ${message}`;
    recordEvent(current, { type: "Warning", reason: "TableReleased", note });
    await objects.removeFinalizer(current, signal);
    return {};
  }
}

const NOT_ASKED: Found = {
  kind: "unusable",
  error: new DatabaseUnusable({ kind: "waiting", reason: "NotAsked", message: "not asked", path: "spec" }),
};

function movedAway(former: string, reference: DatabaseReference | undefined): Unavailability {
  const path = reference?.kind === "Secret" ? "spec.connectionSecretRef" : "spec.databaseRef";
  const message = `the table is in ${former}, and ${path} is immutable, set or not: put back what it was`;
  return { kind: "waiting", reason: "DatabaseChanged", message, path };
}

/** What an update cannot change is no reason to deny it. */
function withWhy(verdict: Verdict, { kind, path, message }: Unavailability, isCreation: boolean): Verdict {
  if (isCreation && (kind === "refused" || kind === "unset")) {
    const errors = verdict.kind === "denied" ? verdict.errors : [];
    return { kind: "denied", errors: [forbidden(path, message), ...errors], warnings: verdict.warnings };
  }
  return { ...verdict, warnings: [`${path}: ${message}`, ...verdict.warnings] };
}

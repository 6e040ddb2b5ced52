import { decodeDatabaseSpec } from "../../crds/database/decode.ts";
import type { Database, DatabaseSpec } from "../../crds/database/types.ts";
import { validateDatabaseName } from "../../crds/database/validate.ts";
import { isKubeError, KubeError } from "../../kube/client/client.ts";
import type { ReconcileResult } from "../../kube/queue/controller.ts";
import type { Children } from "./observe/children.ts";
import type { DatabaseContext } from "./context.ts";
import { confirmation } from "./steps/confirm.ts";
import { converge, endpointOf, type Outcome } from "./steps/converge.ts";
import { desiredServer, identityOf, type Server } from "./build/desired.ts";
import { letGoOfKopf, otherOperator, releaseFromKopf } from "./kopf_marks.ts";
import { knowsOurSchema, MESSAGE, NODE_PORT, SERVER_VERSION } from "./observe/labels.ts";
import { observeChildren, secretOf } from "./observe/observe.ts";
import { childrenInQuestion, storedVersion } from "./policy.ts";
import { DATABASE_RESOURCE, type ServedSchema } from "./objects.ts";
import { podStateOf } from "./observe/pod_state.ts";
import { PodReplacements } from "./steps/pod_replacements.ts";
import { isReady, madeMessage, nextStatus } from "./status.ts";
import { isTakenOver } from "./steps/take_over.ts";

/** Secrets are read by name and never watched, so whatever happens to them is seen now and then. */
const RESYNC_MS = 60_000;

/** Makes one server what its object says; level-triggered, so it may be called at any time and any number of times. */
export class DatabaseReconciler {
  readonly #context: DatabaseContext;
  /** Keys of objects of which a part of the spec may be hidden, so that it is said once. */
  readonly #downgraded = new Set<string>();
  readonly #replacements: PodReplacements;

  constructor(context: DatabaseContext) {
    this.#context = context;
    this.#replacements = new PodReplacements(context);
  }

  /** The object of that key is gone. */
  forget(key: string): void {
    this.#replacements.forget(key);
  }

  /** @throws what the controller must retry: outside failures after they were written to the status, and bugs. */
  async reconcile(object: Database, signal: AbortSignal): Promise<ReconcileResult> {
    // The garbage collector takes what we made; what stays has no owner.
    const isLeaving = object.metadata.deletionTimestamp !== undefined;
    const other = otherOperator(object);
    if (isLeaving && other === undefined) {
      await releaseFromKopf(object, this.#context, signal);
      return {};
    }
    const schema = await this.#context.objects.servedSchema(signal);
    if (schema === "going") return isLeaving ? {} : { requeueAfterMs: RESYNC_MS };
    if (other !== undefined) return await this.#stop(object, { finding: other, schema }, signal);
    const decoded = decodeDatabaseSpec(object.spec);
    const errors = [...validateDatabaseName(object.metadata.name), ...(decoded.ok ? [] : decoded.errors)];
    if (!decoded.ok || errors.length > 0) {
      return await this.#stop(object, { finding: { kind: "Faulty", reason: "InvalidSpec", errors }, schema }, signal);
    }
    const { server, children } = await this.#observe(object, { spec: decoded.value, schema }, signal);
    if (schema === "other" && hasHiddenSpec(children)) return this.#tellDowngrade(object);
    this.#downgraded.delete(object.metadata.uid);
    const outcome = await this.#converge(object, { server, children }, signal);
    const isMade = outcome.finding.kind === "Made" || outcome.facts.binding !== undefined;
    const ours = isMade ? await letGoOfKopf(object, { context: this.#context, schema, signal }) : object;
    await this.#report(ours, { outcome, schema }, signal);
    return { requeueAfterMs: Math.min(outcome.recheckMs ?? RESYNC_MS, RESYNC_MS) };
  }

  async #observe(
    object: Database,
    { spec, schema }: { readonly spec: DatabaseSpec; readonly schema: ServedSchema },
    signal: AbortSignal,
  ): Promise<{ readonly server: Server; readonly children: Children }> {
    const identity = identityOf(object);
    const seen = await observeChildren(this.#context.objects, { ...identity, ...secretOf(spec) }, signal);
    const children = childrenInQuestion(seen, spec, identity);
    const version = spec.version ?? storedVersion(children, identity);
    const known = version === undefined ? spec : { ...spec, version };
    return { server: desiredServer(identity, known, schema === "ours"), children };
  }

  async #converge(
    object: Database,
    { server, children }: { readonly server: Server; readonly children: Children },
    signal: AbortSignal,
  ): Promise<Outcome> {
    if (server.spec.suspend) return suspended(server, children);
    try {
      const [context, replacements] = [this.#context, this.#replacements];
      const confirm = confirmation(context.objects, object, signal);
      return await converge({ object, server, children, context, replacements, confirm, signal });
    } catch (error) {
      // Nothing can be made in a namespace that goes away, and nothing needs to be.
      if (isTerminating(error)) return { finding: { kind: "Made" }, facts: factsOfPod(children) };
      const failure = failureOf(error, children);
      if (failure !== undefined) await this.#report(object, { outcome: failure, schema: schemaOf(server) }, signal);
      throw error;
    }
  }

  /** Nothing is done to what there is until a person has changed something. */
  async #stop(
    object: Database,
    { finding, schema }: { readonly finding: Outcome["finding"]; readonly schema: ServedSchema },
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const outcome: Outcome = { finding, facts: { pod: { kind: "absent" }, isTakenOver: false } };
    await this.#report(object, { outcome, schema }, signal);
    return {};
  }

  /**
   * A spec that was stored under our schema and is read through another one lacks fields: nothing is made of it, and the object is not
   * written, since that would store it without them.
   */
  #tellDowngrade(object: Database): ReconcileResult {
    if (!this.#downgraded.has(object.metadata.uid)) {
      this.#downgraded.add(object.metadata.uid);
      const note =
        `the CustomResourceDefinition ${DATABASE_RESOURCE.plural}.${DATABASE_RESOURCE.group} was replaced by one ` +
        "that hides fields of the spec: nothing is changed until ours is back";
      this.#context.recordEvent(object, { type: "Warning", reason: "SchemaDowngraded", note });
      this.#context.logger.warn(note, { namespace: object.metadata.namespace, name: object.metadata.name });
    }
    return { requeueAfterMs: RESYNC_MS };
  }

  async #report(
    object: Database,
    { outcome, schema }: { readonly outcome: Outcome; readonly schema: ServedSchema },
    signal: AbortSignal,
  ): Promise<void> {
    const now = this.#context.now().toISOString().replace(/\.\d+Z$/, "Z");
    const status = nextStatus(object, outcome, now);
    const wasReady = isReady(object.status);
    if (schema === "ours") await this.#context.objects.writeStatus(object, status, signal);
    else await this.#annotate(object, outcome, signal);
    this.#tellOutcome(object, outcome, { wasReady, isReady: isReady(status) });
  }

  #tellOutcome(
    object: Database,
    { finding }: Outcome,
    change: { readonly wasReady: boolean; readonly isReady: boolean },
  ): void {
    if (finding.kind === "Faulty") {
      const note = finding.errors.map(({ path, detail }) => `${path}: ${detail}`).join("; ");
      this.#context.recordEvent(object, { type: "Warning", reason: finding.reason, note });
    }
    if (finding.kind === "Stalled") {
      this.#context.recordEvent(object, { type: "Warning", reason: finding.reason, note: finding.message });
    }
    if (change.isReady && !change.wasReady) {
      const note = madeMessage(object.metadata.name);
      this.#context.recordEvent(object, { type: "Normal", reason: "Ready", note });
    }
  }

  /** The bare definition has no room for a status. */
  async #annotate(object: Database, { finding, facts }: Outcome, signal: AbortSignal): Promise<void> {
    if (finding.kind !== "Made" || facts.endpoint === undefined) return;
    const { name, annotations = {} } = object.metadata;
    const { nodePort } = facts.endpoint;
    const wanted: Record<string, string> = {
      [MESSAGE]: madeMessage(name),
      ...(nodePort === undefined ? {} : { [NODE_PORT]: String(nodePort) }),
    };
    if (Object.entries(wanted).every(([key, value]) => annotations[key] === value)) return;
    await this.#context.objects.mark(DATABASE_RESOURCE, object, { metadata: { annotations: wanted }, signal });
    const note = `${madeMessage(name)}; node port ${nodePort ?? "none"}`;
    this.#context.recordEvent(object, { type: "Normal", reason: "Created", note });
  }
}

/** Whether something was made for this object while our schema was served. */
function hasHiddenSpec({ pod, service, claim }: Children): boolean {
  return [pod, service, claim].some((child) => child !== undefined && knowsOurSchema(child));
}

function suspended(server: Server, { pod, service }: Children): Outcome {
  const version = pod?.metadata.annotations?.[SERVER_VERSION];
  return {
    finding: { kind: "Suspended" },
    facts: {
      pod: podStateOf(pod),
      isTakenOver: isTakenOver(pod),
      ...(version === undefined ? {} : { version }),
      ...(service === undefined ? {} : { endpoint: endpointOf(server, service) }),
    },
  };
}

/** What users are told of a refusal of the API server; `undefined` for what passes by itself. */
function failureOf(error: unknown, children: Children): Outcome | undefined {
  if (error instanceof DOMException) return undefined;
  const facts = factsOfPod(children);
  if (!(error instanceof KubeError)) {
    const message = "the operator failed in a way that nobody expected: see its log";
    return { finding: { kind: "Failing", reason: "InternalError", message }, facts };
  }
  if (error.status !== 403 && error.status !== 422 && error.status !== 400) return undefined;
  return { finding: { kind: "Failing", reason: "ApplyRefused", message: error.message }, facts };
}

function isTerminating(error: unknown): boolean {
  return isKubeError(error, 403) && /because it is being terminated/.test(error.message);
}

function factsOfPod({ pod }: Children): Outcome["facts"] {
  return { pod: podStateOf(pod), isTakenOver: isTakenOver(pod) };
}

function schemaOf({ isOurSchema }: Server): ServedSchema {
  return isOurSchema ? "ours" : "other";
}

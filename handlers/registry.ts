import type { ReconcileResult } from "../kube/queue/controller.ts";
import type { Pause } from "../kube/queue/deadline.ts";
import type { KubeObject, ResourceType } from "../kube/object.ts";
import type { MatchCondition } from "../kube/webhook/webhook_configuration.ts";
import type { AdmissionRequest, ReviewedObject, Verdict } from "./admission/admission_review.ts";

/**
 * Everything that the operator knows of one kind. Routes, webhook rules and watches derive from the list of these: a new
 * kind is one folder under `crds/`, one under `handlers/`, and one entry in `kinds.ts`.
 */
export interface KindHandler {
  readonly resource: ResourceType;
  readonly admission: {
    /** When the mutating webhook is called, besides "the object is not being deleted". */
    readonly mutateConditions: readonly MatchCondition[];
    /** When the validating webhook is called on CREATE and UPDATE, besides "the object is not being deleted". */
    readonly validateConditions: readonly MatchCondition[];
    /** Whether DELETE is judged too (in an entry of its own, which never blocks when the operator is down). */
    readonly judgesDelete: boolean;
  };
  /** The object with absent fields filled in, of an update beside the old object; it never changes what a user wrote. Pure. */
  readonly withDefaults: (object: ReviewedObject, oldObject?: ReviewedObject) => ReviewedObject;
  /** @throws if nobody can judge; the API server's `failurePolicy` then decides. */
  readonly validate: (request: AdmissionRequest, signal: AbortSignal) => Promise<Verdict>;
  /** `undefined` for a kind that only admission looks at. */
  readonly controller?: {
    readonly reconcile: (object: KubeObject, signal: AbortSignal, pause: Pause) => Promise<ReconcileResult>;
    /** Told of every version of an object before it is reconciled, whether this replica reconciles or not. */
    readonly see?: (object: KubeObject) => void;
    /** The object of that key is gone: forget what was remembered of it. */
    readonly forget: (key: string) => void;
    /** Work beside the queue, from the moment on at which this replica reconciles until the signal is aborted. Never rejects. */
    readonly tend?: (objects: TendedObjects, signal: AbortSignal) => Promise<void>;
    /** Kinds whose objects it makes: a change of one brings the object that owns it. */
    readonly owns?: readonly OwnedKind[];
  };
}

/** The objects of a kind, for work that no event asks for. */
export interface TendedObjects {
  /** By `namespace/name`, as last seen. */
  readonly get: (key: string) => KubeObject | undefined;
  /** Of all of them. */
  readonly keys: () => readonly string[];
  /** Resolves once every object that exists is known; rejects with the signal's reason. */
  readonly whenSynced: (signal: AbortSignal) => Promise<void>;
  /** Asks for a reconcile behind what users changed. */
  readonly enqueue: (key: string) => void;
}

/** Objects of another kind that a handler makes. Only those with the label are watched: a cluster is full of others' Pods. */
export interface OwnedKind {
  readonly resource: ResourceType;
  readonly labelSelector: string;
  /** `namespace/name` of the object that it was made for; `undefined` if it is nobody's. Pure. */
  readonly ownerKey: (object: KubeObject) => string | undefined;
}

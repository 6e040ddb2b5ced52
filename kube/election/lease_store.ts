import { isKubeError, type KubeClient } from "../client/client.ts";
import type { LeaseSpec } from "./lease.ts";
import type { KubeObject, ResourceType } from "../object.ts";

/** A Lease as the API server answers it. */
export interface StoredLease {
  readonly resourceVersion: string;
  readonly spec: LeaseSpec;
}

export interface LeaseName {
  readonly namespace: string;
  readonly name: string;
}

export interface LeaseStoreOptions {
  readonly client: Pick<KubeClient, "get" | "apply" | "patch" | "watch">;
  readonly lease: LeaseName;
  /** Of this process: two that create the Lease at once must not be taken for one. */
  readonly identity: string;
}

/** Milliseconds that a request may take, and what ends it sooner. */
export interface LeaseCall {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export const LEASE: ResourceType = {
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  kind: "Lease",
  namespaced: true,
};

type Lease = KubeObject<LeaseSpec>;

const WATCH_SECONDS = 290;

/**
 * One Lease in the cluster. Needs the verbs get, watch, create and patch on that name alone: it is created by apply, since RBAC
 * cannot name what a POST creates.
 *
 * Every call throws {@linkcode KubeError}; 409 means that somebody else was faster.
 */
export class LeaseStore {
  readonly #options: LeaseStoreOptions;

  constructor(options: LeaseStoreOptions) {
    this.#options = options;
  }

  /** `undefined`: there is none yet. */
  async read(call: LeaseCall): Promise<StoredLease | undefined> {
    const { client, lease } = this.#options;
    try {
      return stored(await client.get<Lease>(LEASE, lease, call));
    } catch (error) {
      if (isKubeError(error, 404)) return undefined;
      throw error;
    }
  }

  /** Without force and under a manager of our own: of two that create, the second gets 409. */
  async create(spec: LeaseSpec, call: LeaseCall): Promise<StoredLease> {
    const { client, lease, identity } = this.#options;
    const manifest = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { ...lease }, spec };
    const { object } = await client.apply<Lease>(LEASE, manifest, { ...call, fieldManager: identity.slice(0, 128) });
    return stored(object);
  }

  /** Writes over that version of the Lease and no other. */
  async replace(before: StoredLease, spec: LeaseSpec, call: LeaseCall): Promise<StoredLease> {
    const { client, lease } = this.#options;
    const value = { metadata: { resourceVersion: before.resourceVersion }, spec };
    return stored((await client.patch<Lease>(LEASE, lease, { ...call, patch: { kind: "merge", value } })).object);
  }

  /** Tells each version after that one, and `undefined` when it is gone, until the API server ends the stream. */
  async *changes(after: StoredLease, signal: AbortSignal): AsyncGenerator<StoredLease | undefined, void, undefined> {
    const { client, lease } = this.#options;
    const query = {
      namespace: lease.namespace,
      fieldSelector: `metadata.name=${lease.name}`,
      resourceVersion: after.resourceVersion,
      timeoutSeconds: WATCH_SECONDS,
      signal,
    };
    for await (const event of client.watch<Lease>(LEASE, query)) {
      if (event.type === "ERROR") return;
      if (event.type === "DELETED") yield undefined;
      else if (event.type !== "BOOKMARK") yield stored(event.object);
    }
  }
}

function stored(lease: Lease): StoredLease {
  return { resourceVersion: lease.metadata.resourceVersion, spec: lease.spec ?? {} };
}

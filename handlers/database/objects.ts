import { type Database, GROUP, KIND, PLURAL, SCHEMA_REVISION, VERSION } from "../../crds/database/types.ts";
import type { DatabaseStatus } from "../../crds/database/types.ts";
import { isKubeError, type KubeClient } from "../../kube/client/client.ts";
import { Rights } from "../../kube/client/access_review.ts";
import { CRDS, isServedForDeletionOnly, isStatusServed, readCustomResourceDefinition } from "../../kube/objects/crd.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import type { KubeManifest, KubeObject, ResourceType } from "../../kube/object.ts";
import { StatusWriter } from "../../kube/objects/status_writer.ts";
import { removeKopfMarks } from "../kopf_takeover.ts";
import { NETWORK_POLICY, POD, SECRET, SERVICE, VOLUME_CLAIM } from "./observe/children.ts";

export const DATABASE_RESOURCE: ResourceType = {
  group: GROUP,
  version: VERSION,
  plural: PLURAL,
  kind: KIND,
  namespaced: true,
};

/**
 * What the API server serves of our kind: the whole schema, less (then it may prune fields of a spec), or nothing any more.
 */
export type ServedSchema = "ours" | "other" | "going";

/** What the reconciler does to Kubernetes, as few verbs as it needs. */
export interface DatabaseObjects {
  /** Any object past every cache; `undefined` if there is none. */
  readonly read: <T extends KubeObject>(
    type: ResourceType,
    reference: { readonly namespace: string; readonly name: string },
    signal: AbortSignal,
  ) => Promise<T | undefined>;
  readonly servedSchema: (signal: AbortSignal) => Promise<ServedSchema>;
  /** Makes an object that does not exist. @throws {KubeError} 409 if there is one meanwhile that says something else. */
  readonly make: (manifest: KubeManifest, signal: AbortSignal) => Promise<void>;
  /** Sets the fields of ours on this very object, and leaves those of others. */
  readonly correct: (live: KubeObject, manifest: KubeManifest, signal: AbortSignal) => Promise<void>;
  /** Asks a Pod to end, in its own time: with force, two servers could write into one volume. */
  readonly endPod: (pod: KubeObject, signal: AbortSignal) => Promise<void>;
  readonly removeNetworkPolicy: (policy: KubeObject, signal: AbortSignal) => Promise<void>;
  /** Sets labels and annotations of an object, of nobody else's fields. */
  readonly mark: (
    type: ResourceType,
    live: KubeObject,
    change: { readonly metadata: Readonly<Record<string, unknown>>; readonly signal: AbortSignal },
  ) => Promise<void>;
  /** Takes kopf's finalizer and annotations away. @returns the object as it stands then; `undefined` if it is gone. */
  readonly removeKopfMarks: (object: Database, signal: AbortSignal) => Promise<Database | undefined>;
  readonly writeStatus: (object: Database, status: DatabaseStatus, signal: AbortSignal) => Promise<void>;
}

const TYPES = [POD, SERVICE, VOLUME_CLAIM, SECRET, NETWORK_POLICY];

/** The reconciler's verbs on a real API server. */
export function databaseObjects(client: KubeClient, logger: Logger): DatabaseObjects {
  const rights = new Rights(client, () => performance.now());
  const statusWriter = new StatusWriter({ client, type: DATABASE_RESOURCE, logger });
  return {
    async read<T extends KubeObject>(
      type: ResourceType,
      reference: { readonly namespace: string; readonly name: string },
      signal: AbortSignal,
    ): Promise<T | undefined> {
      try {
        return await client.get<T>(type, reference, { signal });
      } catch (error) {
        if (isKubeError(error, 404)) return undefined;
        throw error;
      }
    },
    servedSchema: (signal) => readServedSchema(client, rights, signal),
    async make(manifest, signal) {
      await client.apply(typeOf(manifest), manifest, { signal });
    },
    async correct(live, manifest, signal) {
      const { uid } = live.metadata;
      const metadata = { ...manifest.metadata, uid };
      await client.apply(typeOf(manifest), { ...manifest, metadata }, { force: true, signal });
    },
    endPod: (pod, signal) => deleteThis(client, { type: POD, live: pod, signal }),
    removeNetworkPolicy: (policy, signal) => deleteThis(client, { type: NETWORK_POLICY, live: policy, signal }),
    async mark(type, live, { metadata, signal }) {
      const { namespace, name, uid } = live.metadata;
      const value = { metadata: { uid, ...metadata } };
      await client.patch(type, { namespace, name }, { patch: { kind: "merge", value }, signal });
    },
    async removeKopfMarks(object, signal) {
      return await removeKopfMarks(client, { type: DATABASE_RESOURCE, object, signal });
    },
    async writeStatus(object, status, signal) {
      await statusWriter.write(object, { ...status }, signal);
    },
  };
}

async function deleteThis(
  client: KubeClient,
  { type, live, signal }: { readonly type: ResourceType; readonly live: KubeObject; readonly signal: AbortSignal },
): Promise<void> {
  const { namespace, name, uid } = live.metadata;
  await client.delete(type, { namespace, name }, { preconditions: { uid }, signal });
}

async function readServedSchema(client: KubeClient, rights: Rights, signal: AbortSignal): Promise<ServedSchema> {
  const name = `${PLURAL}.${GROUP}`;
  if (!await rights.allow({ verb: "get", type: CRDS, name }, signal)) return await discoverSchema(client, signal);
  const definition = await readCustomResourceDefinition(client, name, signal);
  if (definition === undefined || definition.terminating) return "going";
  // `kubectl apply` of the bare definition replaces the schema and leaves our annotation: the subresource tells.
  return definition.hasStatusSubresource && definition.revision >= SCHEMA_REVISION ? "ours" : "other";
}

/** Whoever may not read the CRD learns from the discovery what it needs: the bare definition serves no status. */
async function discoverSchema(client: KubeClient, signal: AbortSignal): Promise<ServedSchema> {
  if (await isServedForDeletionOnly(client, DATABASE_RESOURCE, signal)) return "going";
  return await isStatusServed(client, DATABASE_RESOURCE, signal) ? "ours" : "other";
}

function typeOf({ kind }: KubeManifest): ResourceType {
  const type = TYPES.find((each) => each.kind === kind);
  if (type === undefined) {
    throw new TypeError(`Cannot write a ${kind}: it is none of the kinds that a Database is made of`);
  }
  return type;
}

import { Backoff } from "../queue/backoff.ts";
import { isKubeError, type KubeClient, KubeError } from "../client/client.ts";
import type { KubeManifest, KubeObject, ResourceType } from "../object.ts";
import { pause, type Timing } from "../timing.ts";
import type { Logger } from "../telemetry/logger.ts";

/** Which schema a CRD carries: a lower revision never overwrites a higher one, since that would prune what users stored. */
const REVISION_ANNOTATION = "tablewright.dev/schema-revision";

/** `kept`: the cluster has a newer schema than ours. */
export type CrdOutcome = "applied" | "kept";

/** What matters of a CRD before data is dropped. */
export interface CrdState {
  /** Its objects are being deleted with it, without any admission. */
  readonly terminating: boolean;
  readonly hasStatusSubresource: boolean;
  /** 0 if it carries none: it is not ours. */
  readonly revision: number;
}

export interface CrdContext {
  readonly client: Pick<KubeClient, "get" | "apply" | "list">;
  readonly timing: Pick<Timing, "random" | "delay">;
  readonly logger: Logger;
}

interface CrdSpec {
  readonly group: string;
  readonly scope: string;
  readonly names: { readonly plural: string; readonly kind: string };
  readonly versions: readonly {
    readonly name: string;
    readonly storage?: boolean;
    readonly subresources?: { readonly status?: unknown };
  }[];
}

interface CrdStatus {
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
}

type Crd = KubeObject<CrdSpec, CrdStatus>;

export const CRDS: ResourceType = {
  group: "apiextensions.k8s.io",
  version: "v1",
  plural: "customresourcedefinitions",
  kind: "CustomResourceDefinition",
  namespaced: false,
};
const BACKOFF = { baseMs: 50, maxMs: 1_000 };

/**
 * Installs or upgrades a CRD, and returns when its kind can be listed. One that is being deleted is waited for.
 *
 * @throws {KubeError} if the API server refuses the manifest. The signal's reason if that is aborted.
 */
export async function applyCustomResourceDefinition(
  context: CrdContext,
  manifest: KubeManifest,
  signal: AbortSignal,
): Promise<CrdOutcome> {
  const name = manifest.metadata.name ?? "";
  const outcome = await applyUnlessNewer(context, { ...manifest, metadata: { ...manifest.metadata, name } }, signal);
  await waitUntil(context, signal, async () => isEstablished(await readCrd(context.client, name, signal)));
  const crd = await readCrd(context.client, name, signal);
  if (crd !== undefined) await waitUntil(context, signal, () => isServed(context.client, crd, signal));
  return outcome;
}

/** `undefined` if there is none. */
export async function readCustomResourceDefinition(
  client: Pick<KubeClient, "get">,
  name: string,
  signal: AbortSignal,
): Promise<CrdState | undefined> {
  const crd = await readCrd(client, name, signal);
  if (crd === undefined) return undefined;
  return {
    terminating: isTerminating(crd),
    hasStatusSubresource: storageVersion(crd)?.subresources?.status !== undefined,
    revision: revisionOf(crd.metadata.annotations),
  };
}

interface DiscoveredResources {
  readonly resources?: readonly { readonly name: string; readonly verbs: readonly string[] }[];
}

/**
 * Whether a kind is served for reading and deleting only, or not at all: its CRD is being deleted, or gone. Everybody may ask this;
 * it is for those who may not read the CRD.
 */
export async function isServedForDeletionOnly(
  client: Pick<KubeClient, "request">,
  { group, version, plural }: ResourceType,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const { object } = await client.request<DiscoveredResources>("GET", `/apis/${group}/${version}`, { signal });
    return object.resources?.find(({ name }) => name === plural)?.verbs.includes("create") !== true;
  } catch (error) {
    if (isKubeError(error, 404)) return true;
    throw error;
  }
}

/** Whether a kind is served with its status as a subresource; for those who may not read the CRD. */
export async function isStatusServed(
  client: Pick<KubeClient, "request">,
  { group, version, plural }: ResourceType,
  signal: AbortSignal,
): Promise<boolean> {
  const { object } = await client.request<DiscoveredResources>("GET", `/apis/${group}/${version}`, { signal });
  return object.resources?.some(({ name }) => name === `${plural}/status`) === true;
}

async function applyUnlessNewer(context: CrdContext, manifest: KubeManifest, signal: AbortSignal): Promise<CrdOutcome> {
  const { client, logger } = context;
  const name = manifest.metadata.name ?? "";
  await waitUntil(context, signal, async () => {
    const existing = await readCrd(client, name, signal);
    const free = existing === undefined || !isTerminating(existing);
    if (!free) logger.info("CRD is being deleted and is waited for", { name });
    return free;
  });
  const existing = await readCrd(client, name, signal);
  const ours = revisionOf(manifest.metadata["annotations"]);
  const theirs = revisionOf(existing?.metadata.annotations);
  if (theirs > ours) {
    logger.warn("CRD in the cluster is newer than ours and is kept", { name, revision: theirs, ours });
    return "kept";
  }
  await client.apply(CRDS, manifest, { force: true, signal });
  return "applied";
}

async function readCrd(client: Pick<KubeClient, "get">, name: string, signal: AbortSignal): Promise<Crd | undefined> {
  try {
    return await client.get<Crd>(CRDS, { name }, { signal });
  } catch (error) {
    if (isKubeError(error, 404)) return undefined;
    throw error;
  }
}

/** @throws {KubeError} if its names are taken by another CRD, which does not pass by itself. */
function isEstablished(crd: Crd | undefined): boolean {
  const conditions = crd?.status?.conditions ?? [];
  const refused = conditions.find(({ type, status }) => type === "NamesAccepted" && status === "False");
  if (refused !== undefined) {
    throw new KubeError(`Cannot install the CRD ${crd?.metadata.name}: ${refused.message ?? "its names are taken"}`, {
      status: 409,
      reason: "NamesNotAccepted",
    });
  }
  return conditions.some(({ type, status }) => type === "Established" && status === "True");
}

/** An established CRD is not served at once: for a moment the API server answers 404, or 429 while it prepares the storage. */
async function isServed(client: Pick<KubeClient, "list">, crd: Crd, signal: AbortSignal): Promise<boolean> {
  const version = storageVersion(crd)?.name;
  if (crd.spec === undefined || version === undefined) return true;
  const { group, scope, names: { plural, kind } } = crd.spec;
  try {
    await client.list({ group, version, plural, kind, namespaced: scope === "Namespaced" }, { limit: 1, signal });
    return true;
  } catch (error) {
    // Without the right to list we cannot know, and whoever may not list needs not wait.
    if (isKubeError(error, 403)) return true;
    if (error instanceof KubeError && [404, 429, 503].includes(error.status)) return false;
    throw error;
  }
}

async function waitUntil(context: CrdContext, signal: AbortSignal, check: () => Promise<boolean>): Promise<void> {
  const backoff = new Backoff(context.timing, BACKOFF);
  while (!(await check())) {
    await pause(context.timing, backoff.next(), signal);
    signal.throwIfAborted();
  }
}

function storageVersion(crd: Crd): CrdSpec["versions"][number] | undefined {
  return crd.spec?.versions.find((version) => version.storage === true);
}

function isTerminating(crd: Crd): boolean {
  return crd.metadata.deletionTimestamp !== undefined;
}

function revisionOf(annotations: unknown): number {
  const text = (annotations as Record<string, unknown> | undefined)?.[REVISION_ANNOTATION];
  return typeof text === "string" && /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

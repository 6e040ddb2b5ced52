import { type CallOptions, isKubeError, type KubeClient } from "../client/client.ts";
import { jsonEquals } from "../client/merge_patch.ts";
import type { KubeObject, ResourceType } from "../object.ts";
import {
  MUTATING,
  VALIDATING,
  type WebhookConfigurations,
  type WebhookEntry,
  type WebhookManifest,
} from "./webhook_configuration.ts";

type WebhookObject = KubeObject & { readonly webhooks?: readonly WebhookEntry[] };

/** Writes both configurations and takes over every field of ours that somebody changed. */
export async function applyWebhookConfigurations(
  client: Pick<KubeClient, "apply">,
  configurations: WebhookConfigurations,
  signal: AbortSignal,
): Promise<void> {
  for (const [type, manifest] of both(configurations)) {
    await client.apply(type, manifest, { fieldManager: manifest.metadata.name ?? "tablewright", force: true, signal });
  }
}

/**
 * Makes both configurations again what they should be, also where somebody added to them: another match condition, which server-side
 * apply would leave, can keep every review from us. Says whether it had to write.
 */
export async function restoreWebhookConfigurations(
  client: Pick<KubeClient, "apply" | "get" | "patch">,
  configurations: WebhookConfigurations,
  signal: AbortSignal,
): Promise<boolean> {
  let restored = false;
  for (const [type, manifest] of both(configurations)) {
    if (await restore(client, { type, manifest }, { signal })) restored = true;
  }
  return restored;
}

/** Removes both configurations; it is no failure if they are not there. */
export async function deleteWebhookConfigurations(
  client: Pick<KubeClient, "delete">,
  instance: string,
  signal: AbortSignal,
): Promise<void> {
  for (const type of [VALIDATING, MUTATING]) {
    try {
      await client.delete(type, { name: instance }, { signal });
    } catch (error) {
      if (!isKubeError(error, 404)) throw error;
    }
  }
}

function both({ mutating, validating }: WebhookConfigurations): readonly (readonly [ResourceType, WebhookManifest])[] {
  return [[MUTATING, mutating], [VALIDATING, validating]];
}

async function restore(
  client: Pick<KubeClient, "apply" | "get" | "patch">,
  { type, manifest }: { readonly type: ResourceType; readonly manifest: WebhookManifest },
  call: CallOptions,
): Promise<boolean> {
  const { name = "" } = manifest.metadata;
  const fieldManager = name;
  const observed = await read(client, { type, name }, call);
  if (observed === undefined) {
    await client.apply(type, manifest, { ...call, fieldManager, force: true });
    return true;
  }
  const webhooks = manifest.webhooks.map((entry) => withForeignTrust(entry, observed.webhooks ?? []));
  if (isAsDesired(observed.webhooks ?? [], webhooks)) return false;
  const { resourceVersion } = observed.metadata;
  const value = { metadata: { resourceVersion }, webhooks };
  await client.patch(type, { name }, { ...call, fieldManager, patch: { kind: "merge", value } });
  return true;
}

async function read(
  client: Pick<KubeClient, "get">,
  { type, name }: { readonly type: ResourceType; readonly name: string },
  call: CallOptions,
): Promise<WebhookObject | undefined> {
  try {
    return await client.get<WebhookObject>(type, { name }, call);
  } catch (error) {
    if (isKubeError(error, 404)) return undefined;
    throw error;
  }
}

/** What we do not name has no meaning for us: a newer API server may fill in more. */
function isAsDesired(observed: readonly WebhookEntry[], desired: readonly WebhookEntry[]): boolean {
  return observed.length === desired.length && desired.every((entry, index) => {
    const found = observed[index] ?? { name: "" };
    return Object.keys(entry).every((key) => jsonEquals(found[key], entry[key]));
  });
}

/** Where we name no CA bundle somebody else (cert-manager) writes it: that one stays. */
function withForeignTrust(entry: WebhookEntry, observed: readonly WebhookEntry[]): WebhookEntry {
  const own = entry["clientConfig"] as Readonly<Record<string, unknown>>;
  if (own["caBundle"] !== undefined) return entry;
  const found = observed.find(({ name }) => name === entry.name)?.["clientConfig"];
  const caBundle = (found as Readonly<Record<string, unknown>> | undefined)?.["caBundle"];
  return caBundle === undefined ? entry : { ...entry, clientConfig: { ...own, caBundle } };
}

import { parse, parseAll } from "@std/yaml";
import databases from "../../crds/databases.zalando.org.yaml" with { type: "text" };
import databaseTables from "../../crds/databasetables.kopf.demo.yaml" with { type: "text" };
import samples from "../../crds/samples.nuvolaris.org.yaml" with { type: "text" };
import databasePolicy from "../../manifests/base/database_policy.yaml" with { type: "text" };
import policy from "../../manifests/base/validating_admission_policy.yaml" with { type: "text" };
import { Backoff } from "../../kube/queue/backoff.ts";
import {
  applyCustomResourceDefinition,
  type CrdContext,
  readCustomResourceDefinition,
} from "../../kube/objects/crd.ts";
import type { KubeManifest, ResourceType } from "../../kube/object.ts";
import { pause } from "../../kube/timing.ts";

const POLICY: Omit<ResourceType, "plural" | "kind"> = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  namespaced: false,
};
const PLURALS: Readonly<Record<string, string>> = {
  ValidatingAdmissionPolicy: "validatingadmissionpolicies",
  ValidatingAdmissionPolicyBinding: "validatingadmissionpolicybindings",
};

const RETRY = { baseMs: 500, maxMs: 30_000 };

/** Installs what an administrator installs in a cluster: the kinds, and the policy that holds while we are down. */
export async function installDefinitions(context: CrdContext, signal: AbortSignal): Promise<void> {
  for (const text of [databaseTables, databases, samples]) {
    const manifest = parse(text) as KubeManifest;
    const existing = await readCustomResourceDefinition(context.client, manifest.metadata.name ?? "", signal);
    // It goes when its objects are gone, and they wait for our finalizer: the loop must run meanwhile.
    if (existing?.terminating) void installLater(context, manifest, signal);
    else await installKind(context, manifest, signal);
  }
  for (const manifest of [policy, databasePolicy].flatMap((text) => parseAll(text) as KubeManifest[])) {
    const type = { ...POLICY, kind: manifest.kind, plural: PLURALS[manifest.kind] ?? "" };
    await context.client.apply(type, manifest, { force: true, signal });
  }
}

async function installKind(context: CrdContext, manifest: KubeManifest, signal: AbortSignal): Promise<void> {
  const outcome = await applyCustomResourceDefinition(context, manifest, signal);
  context.logger.info("CustomResourceDefinition", { name: manifest.metadata.name, outcome });
}

/** Installs a kind once it is gone, whatever happens on the way; never rejects. */
async function installLater(context: CrdContext, manifest: KubeManifest, signal: AbortSignal): Promise<void> {
  const backoff = new Backoff(context.timing, RETRY);
  while (!signal.aborted) {
    try {
      return await installKind(context, manifest, signal);
    } catch (error) {
      if (signal.aborted) return;
      context.logger.warn("Cannot install a CustomResourceDefinition yet", { name: manifest.metadata.name, error });
      await pause(context.timing, backoff.next(), signal);
    }
  }
}

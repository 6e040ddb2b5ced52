import { parse, parseAll } from "@std/yaml";
import databases from "../crds/databases.zalando.org.yaml" with { type: "text" };
import databaseTables from "../crds/databasetables.kopf.demo.yaml" with { type: "text" };
import policy from "../manifests/base/validating_admission_policy.yaml" with { type: "text" };
import type { KubeClient } from "../kube/client.ts";
import { applyCustomResourceDefinition, type CrdContext } from "../kube/crd.ts";
import type { KubeManifest, ResourceType } from "../kube/object.ts";

const POLICY: Omit<ResourceType, "plural" | "kind"> = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  namespaced: false,
};
const PLURALS: Readonly<Record<string, string>> = {
  ValidatingAdmissionPolicy: "validatingadmissionpolicies",
  ValidatingAdmissionPolicyBinding: "validatingadmissionpolicybindings",
};

/** Installs what an administrator installs in a cluster: the kinds, and the policy that holds while we are down. */
export async function installDefinitions(
  context: CrdContext & { readonly client: KubeClient },
  signal: AbortSignal,
): Promise<void> {
  for (const text of [databaseTables, databases]) {
    const manifest = parse(text) as KubeManifest;
    const outcome = await applyCustomResourceDefinition(context, manifest, signal);
    context.logger.info("CustomResourceDefinition", { name: manifest.metadata.name, outcome });
  }
  for (const manifest of parseAll(policy) as KubeManifest[]) {
    const type = { ...POLICY, kind: manifest.kind, plural: PLURALS[manifest.kind] ?? "" };
    await context.client.apply(type, manifest, { force: true, signal });
  }
}

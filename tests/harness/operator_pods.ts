import type { Kubectl } from "./kubectl.ts";
import { POD_ADDRESS } from "./network_namespace.ts";

/** A Pod of the operator's Deployment. */
export interface OperatorPod {
  readonly metadata: { readonly name: string; readonly namespace: string };
}

/** The Pods that were made for the operator's Deployment. */
export async function operatorPods(kubectl: Kubectl): Promise<readonly OperatorPod[]> {
  const selector = "app.kubernetes.io/name=tablewright,app.kubernetes.io/component=operator";
  return JSON.parse(await kubectl.ok(["get", "pods", "-l", selector, "-o", "json"])).items;
}

/** Says what scheduler and kubelet say of a Pod whose container runs: then the endpoints of its Services lead to this machine. */
export async function tellRunning(kubectl: Kubectl, { metadata: { name, namespace } }: OperatorPod): Promise<void> {
  await kubectl.apply({ apiVersion: "v1", kind: "Node", metadata: { name: "node" } });
  const binding = { apiVersion: "v1", kind: "Binding", metadata: { name }, target: { kind: "Node", name: "node" } };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/binding`;
  await kubectl.ok(["create", "--raw", path, "-f", "-"], JSON.stringify(binding));
  const condition = { type: "Ready", status: "True", lastTransitionTime: new Date().toISOString() };
  const addresses = { podIP: POD_ADDRESS, podIPs: [{ ip: POD_ADDRESS }] };
  const status = { phase: "Running", ...addresses, conditions: [condition] };
  await kubectl.ok(["patch", "pod", name, "--subresource=status", "--type=merge", "-p", JSON.stringify({ status })]);
}

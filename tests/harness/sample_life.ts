import type { Kubectl } from "./kubectl.ts";
import { eventually } from "./wait.ts";

/** Makes a Sample, scales it and deletes it: all that an operator does for that kind. */
export async function liveSample(kubectl: Kubectl, namespace: string): Promise<void> {
  for (const count of [1, 2]) {
    const metadata = { name: "demo", namespace };
    const { code, stderr } = await kubectl.apply({
      ...{ apiVersion: "nuvolaris.org/v1", kind: "Sample", metadata, spec: { count } },
    });
    if (code !== 0) throw new Error(stderr);
    await eventually(`its Deployment has ${count} replicas`, async () => {
      const deployment = await kubectl.get("deployment", "demo-deploy") as { spec: { replicas: number } } | undefined;
      return deployment?.spec.replicas === count;
    });
    await eventually(
      "the status is written",
      async () => (await kubectl.get("samples.nuvolaris.org", "demo"))?.["status"] !== undefined,
    );
  }
  await kubectl.ok(["delete", "samples.nuvolaris.org", "demo", "--timeout=60s"]);
}

import type { Kubectl } from "./kubectl.ts";
import { serverObjects } from "./server_objects.ts";
import { eventually } from "./wait.ts";

/** Makes a Database, changes it such that its Pod is replaced, and deletes it: all that an operator does for that kind. */
export async function liveDatabase(kubectl: Kubectl, namespace: string): Promise<void> {
  const servers = serverObjects(kubectl, namespace);
  const spec = { type: "postgres", storage: { size: "1Gi" }, networkPolicy: { enabled: true } };
  await servers.applied("main", spec);
  const uid = await eventually("its Pod is made", () => servers.uidOf("pod", "main"));
  await eventually("the status is written", async () => (await servers.database("main")).status !== undefined);
  await eventually("the policy is made", () => servers.uidOf("networkpolicy", "main"));
  await servers.applied("main", {
    ...spec,
    resources: { limits: { memory: "3Gi" } },
    networkPolicy: { enabled: false },
  });
  await eventually("another Pod", async () => {
    const now = await servers.uidOf("pod", "main");
    return now !== undefined && now !== uid;
  });
  await servers.gone("networkpolicy", "main");
  await kubectl.ok(["delete", "databases.zalando.org", "main", "--timeout=60s"]);
  await servers.gone("service", "main");
}

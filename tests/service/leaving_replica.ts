// Runs in a network namespace of its own: see tests/service/service_path_test.ts.
import { assertEquals } from "@std/assert";
import { KubeClient } from "../../kube/client/client.ts";
import type { ResourceType } from "../../kube/object.ts";
import { POD_ADDRESS } from "../harness/network_namespace.ts";
import { OperatorProcess } from "../harness/operator_process.ts";
import { startTestOperator } from "../harness/operator.ts";
import { startReviewLoad } from "../harness/review_load.ts";
import { startTestbed } from "../harness/testbed.ts";
import { eventually } from "../harness/wait.ts";

const NAMESPACE = "ops";
const INSTANCE = "leaving";
const IN_FLIGHT = 20;
const SLICES: ResourceType = {
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  namespaced: true,
};

/** Two operators as processes of their own behind one Service, as two Pods would be. */
const testbed = await startTestbed();
const operator = await startTestOperator(NAMESPACE, { testbed });
const { kubectl } = operator;
// It has installed the kinds and made a role and a database.
await operator.stopOperator();
const { server, certificateAuthority, clientCertificate, clientKey } = testbed;
const client = new KubeClient({ server, certificateAuthority, clientCertificate, clientKey });
const service = { apiVersion: "v1", kind: "Service", metadata: { name: "tablewright", namespace: NAMESPACE } };
await kubectl.ok(
  ["create", "-f", "-"],
  JSON.stringify({ ...service, spec: { ports: [{ name: "https", port: 443, targetPort: 8443 }] } }),
);

function startReplica(name: string): OperatorProcess {
  return new OperatorProcess({
    name,
    kubeconfigPath: testbed.kubeconfigPath,
    databaseUrl: operator.databaseUrl,
    flags: [
      ...["-A", "--instance", INSTANCE, "--no-crds", "--leader-election-namespace", NAMESPACE],
      ...["--webhook-service", `${NAMESPACE}/tablewright`],
    ],
    inPod: true,
  });
}

/** What the endpoint controller does of a Pod that is ready. */
async function addEndpoint({ name, webhookPort: port }: OperatorProcess): Promise<void> {
  const labels = { "kubernetes.io/service-name": "tablewright" };
  await client.create(SLICES, {
    ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: { name, namespace: NAMESPACE, labels } },
    ...{ addressType: "IPv4", ports: [{ name: "https", port, protocol: "TCP" }] },
    endpoints: [{ addresses: [POD_ADDRESS], conditions: { ready: true } }],
  });
}

async function failurePolicies(): Promise<readonly string[]> {
  const object = await kubectl.get("validatingwebhookconfiguration", INSTANCE);
  return ((object?.["webhooks"] ?? []) as readonly { failurePolicy: string }[]).map(({ failurePolicy }) =>
    failurePolicy
  );
}

async function leaderOf(replicas: readonly OperatorProcess[]): Promise<OperatorProcess | undefined> {
  const lease = await kubectl.get("lease", INSTANCE) as { spec?: { holderIdentity?: string } } | undefined;
  return replicas.find(({ name }) => lease?.spec?.holderIdentity?.startsWith(`${name}_`) === true);
}

Deno.test("of two replicas that start at once and of which the leader gets a SIGTERM under load, no review is lost", async () => {
  const replicas = [startReplica("replica-a"), startReplica("replica-b")];
  // A standby is ready first; the leader when the way through the Service is proven.
  for (const each of replicas) {
    await eventually(
      `${each.name} listens`,
      async () => (await each.ask("/readyz?verbose"))?.text.includes("[+]listener"),
    );
    await addEndpoint(each);
  }
  await Promise.all(replicas.map((each) => each.ready()));
  await eventually("the webhooks fail closed", async () => (await failurePolicies()).includes("Fail"));
  const leader = await eventually("one of them leads", () => leaderOf(replicas));
  const load = startReviewLoad(client, IN_FLIGHT);
  await eventually("reviews pass", () => load.accepted > 200);

  leader.send("SIGTERM");
  // A cluster takes its address away as soon as the Pod is to end.
  await Promise.all([
    client.delete(SLICES, { namespace: NAMESPACE, name: leader.name }),
    eventually("it is not ready any more", async () => (await leader.ask("/readyz"))?.status === 503),
  ]);
  const { code } = await leader.ended;
  const left = load.accepted;
  await eventually("reviews go on without it", () => load.accepted > left + 200);
  const next = await eventually("the other one leads", async () => {
    const holder = await leaderOf(replicas);
    return holder !== leader && holder;
  });
  await load.stop();
  assertEquals([load.failures, code, next === undefined], [[], 0, false]);
  // Others answer: what leads to the Service stays.
  assertEquals((await failurePolicies()).includes("Fail"), true);
  Deno.stdout.writeSync(
    new TextEncoder().encode(`through the Service: 0 of ${load.accepted} reviews lost at a SIGTERM\n`),
  );
  await next.close();
});

Deno.test("everything stops", async () => {
  client.close();
  await operator.close();
});

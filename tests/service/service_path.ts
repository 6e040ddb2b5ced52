// Runs in a network namespace of its own: see tests/service/service_path_test.ts.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { parse } from "@std/yaml";
import databases from "../../crds/databases.zalando.org.yaml" with { type: "text" };
import { fakeKind } from "../../handlers/fake_kind.ts";
import { applyCustomResourceDefinition } from "../../kube/objects/crd.ts";
import { silentLogger } from "../../kube/telemetry/logger.ts";
import type { KubeManifest, ResourceType } from "../../kube/object.ts";
import { systemTiming } from "../../kube/timing.ts";
import { type AdmissionServer, fastTiming, startAdmissionServer } from "../harness/admission_server.ts";
import { startTestCluster } from "../harness/kube_cluster.ts";
import { POD_ADDRESS } from "../harness/network_namespace.ts";
import { storeOldIdentity } from "../harness/old_identity.ts";
import { startReviewLoad } from "../harness/review_load.ts";
import { eventually } from "../harness/wait.ts";

const NAMESPACE = "ops";
const INSTANCE = "through-service";
const IN_FLIGHT = 20;
/** Thirty of its seconds are one of ours. */
const FACTOR = 30;

const cluster = await startTestCluster();
const { client } = cluster;
const never = new AbortController().signal;
const names = {
  dnsNames: [`tablewright.${NAMESPACE}.svc`, `tablewright.${NAMESPACE}`, "localhost"],
  ipAddresses: ["127.0.0.1"],
};

function type(group: string, kind: string, plural: string): ResourceType {
  return { group, version: "v1", kind, plural, namespaced: plural !== "namespaces" };
}

const SLICES = type("discovery.k8s.io", "EndpointSlice", "endpointslices");

async function addEndpoint(name: string, port: number): Promise<void> {
  const labels = { "kubernetes.io/service-name": "tablewright" };
  await client.create(SLICES, {
    ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: { name, namespace: NAMESPACE, labels } },
    ...{ addressType: "IPv4", ports: [{ name: "https", port, protocol: "TCP" }] },
    endpoints: [{ addresses: [POD_ADDRESS], conditions: { ready: true } }],
  });
}

async function install(): Promise<void> {
  const context = { client, timing: systemTiming, logger: silentLogger };
  await applyCustomResourceDefinition(context, parse(databases) as KubeManifest, never);
  await client.create(type("", "Namespace", "namespaces"), {
    ...{ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
  });
  await client.create(type("", "Service", "services"), {
    ...{ apiVersion: "v1", kind: "Service", metadata: { name: "tablewright", namespace: NAMESPACE } },
    spec: { ports: [{ name: "https", port: 443, targetPort: 8443 }] },
  });
}

async function startReplica(port: number): Promise<AdmissionServer> {
  return await startAdmissionServer({
    client,
    flags: [
      "-A",
      "--instance",
      INSTANCE,
      "--webhook-port",
      String(port),
      "--webhook-service",
      `${NAMESPACE}/tablewright`,
    ],
    kinds: [fakeKind()],
    timing: fastTiming(FACTOR),
    hostname: "0.0.0.0",
  });
}

await install();

Deno.test("two replicas that start at once agree on one authority", async () => {
  const replicas = await Promise.all([startReplica(8443), startReplica(8444)]);
  const [first, second] = replicas.map(({ admission }) => admission.certificates.served);
  assertEquals(first, second);
  await Promise.all(replicas.map((each) => each.stop()));
  await client.delete(type("", "Secret", "secrets"), { namespace: NAMESPACE, name: `${INSTANCE}-ca` });
});

Deno.test(`certificate and authority rotate under ${IN_FLIGHT} reviews in flight`, async () => {
  await storeOldIdentity(client, { namespace: NAMESPACE, instance: INSTANCE, names });
  const replicas = await Promise.all([startReplica(8445), startReplica(8446)]);
  const [leader, standby] = replicas;
  assert(leader !== undefined && standby !== undefined);
  await addEndpoint("leader", 8445);
  await addEndpoint("standby", 8446);
  const before = leader.admission.certificates.served;
  await leader.lead();
  const load = startReviewLoad(client, IN_FLIGHT);

  await eventually("the certificate is renewed under another authority in both", () => {
    const served = replicas.map(({ admission }) => admission.certificates.served);
    return served.every(({ sharedSecret, pair }) =>
      sharedSecret !== before.sharedSecret && pair.certificate === served[0]?.pair.certificate
    );
  });
  const steps = leader.logger.entries.filter(({ message }) => message.includes("renewed")).map(({ properties }) =>
    properties["step"]
  );
  assertEquals(steps, ["renewLeaf", "announceAuthority", "useNextAuthority"]);
  assertNotEquals(leader.admission.certificates.served.caBundle, before.caBundle);
  const rotated = load.accepted;
  await eventually("reviews go on for long after the replaced listeners ended", () => load.accepted > rotated + 500);

  await load.stop();
  assertEquals(load.failures, []);
  Deno.stdout.writeSync(new TextEncoder().encode(`through the Service: 0 of ${load.accepted} reviews lost\n`));
  await Promise.all(replicas.map((each) => each.stop()));
});

Deno.test("the control plane stops", async () => {
  await cluster.stop();
});

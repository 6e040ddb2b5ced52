// Runs in a network namespace and on a cluster of its own, in which the API server reaches the operator through its Service: its _test.ts beside it starts it.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { createCertificateAuthority, issueCertificate } from "../../kube/webhook/certificate.ts";
import { startDeployed } from "../harness/deployed_operator.ts";
import { build, giveDatabase, overlay, startInstallation } from "../harness/installation.ts";
import { operatorPods, tellRunning } from "../harness/operator_pods.ts";
import { eventually } from "../harness/wait.ts";

const NAMESPACE = "tablewright-system";
const installation = await startInstallation(NAMESPACE);
const { kubectl } = installation;
const CONFIGURATIONS = ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"];

interface Registered {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly webhooks?: readonly {
    readonly failurePolicy: string;
    readonly clientConfig: { readonly caBundle?: string };
  }[];
}

async function registered(resource = "validatingwebhookconfiguration"): Promise<Registered | undefined> {
  return await kubectl.get(resource, "tablewright") as Registered | undefined;
}

/** A kind of cert-manager, as far as the API server must know it. */
function certManagerKind(kind: string, plural: string): unknown {
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.cert-manager.io` },
    spec: {
      ...{ group: "cert-manager.io", scope: "Namespaced", names: { kind, plural, singular: kind.toLowerCase() } },
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  };
}

Deno.test("manifests/single is one replica without a disruption budget, and otherwise the default", async () => {
  const { code, stderr } = await kubectl.run(["apply", "-k", overlay("single")]);
  assertEquals([code, stderr], [0, ""]);
  const names = (manifests: Awaited<ReturnType<typeof build>>) =>
    manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`).filter((each) =>
      !each.startsWith("PodDisruption")
    );
  const single = await build(kubectl, overlay("single"));
  assertEquals(names(single), names(await build(kubectl, overlay("default"))));
  assertEquals(single.find(({ kind }) => kind === "Deployment")?.spec["replicas"], 1);
  assertEquals(await kubectl.get("poddisruptionbudget", "tablewright"), undefined);
  await kubectl.ok(["delete", "deployment", "tablewright"]);
});

Deno.test("manifests/cert-manager is accepted where its kinds are, and the operator serves what is mounted", async () => {
  await kubectl.apply(certManagerKind("Certificate", "certificates"));
  await kubectl.apply(certManagerKind("Issuer", "issuers"));
  await eventually(
    "everything is applied",
    async () => (await kubectl.run(["apply", "-k", overlay("cert-manager")])).code === 0,
  );
  await giveDatabase(installation);
  const asked = await kubectl.ok(["get", "certificates.cert-manager.io", "tablewright-webhook", "-o", "json"]);
  const { spec } = JSON.parse(asked) as {
    readonly spec: { readonly dnsNames: readonly string[]; readonly secretName: string };
  };
  const authority = await createCertificateAuthority({ commonName: "cert-manager", validDays: 1, now: new Date() });
  const pair = await issueCertificate(authority, {
    ...{ commonName: "webhook", dnsNames: spec.dnsNames, usage: "server", validDays: 1, now: new Date() },
  });
  const [pod] = await eventually("its Pods are made", async () => {
    const pods = await operatorPods(kubectl);
    return pods.length === 2 && pods;
  });
  if (pod === undefined) throw new Error("there are two Pods");
  await tellRunning(kubectl, pod);
  const folder = "tablewright/certificate";
  const files = { [`${folder}/tls.crt`]: pair.certificate, [`${folder}/tls.key`]: pair.privateKey };
  const operator = await startDeployed({ ...installation, podName: pod.metadata.name, files });
  await eventually("it has registered", async () => (await registered())?.webhooks !== undefined);
  // As cert-manager's injector does it where it finds its annotation.
  for (const resource of CONFIGURATIONS) {
    const found = await registered(resource);
    assertEquals(found?.metadata.annotations?.["cert-manager.io/inject-ca-from"], `${NAMESPACE}/tablewright-webhook`);
    const value = btoa(authority.certificate);
    const patch = (found?.webhooks ?? []).map((_, index) => ({
      ...{ op: "add", path: `/webhooks/${index}/clientConfig/caBundle`, value },
    }));
    await kubectl.ok(["patch", resource, "tablewright", "--type=json", "-p", JSON.stringify(patch)]);
  }
  await eventually("it fails closed", async () => (await registered())?.webhooks?.[0]?.failurePolicy === "Fail");
  const database = {
    apiVersion: "zalando.org/v1",
    kind: "Database",
    metadata: { name: "bad" },
    spec: { type: "oracle" },
  };
  assertStringIncludes((await kubectl.apply(database)).stderr, "spec.type");
  await kubectl.ok(["apply", "-k", overlay("cert-manager")]);
  assertEquals((await registered())?.webhooks?.[0]?.clientConfig.caBundle, btoa(authority.certificate));
  await operator.close();
  assertEquals(operator.log.filter(({ level }) => level === "error"), []);
  await installation.stop();
});

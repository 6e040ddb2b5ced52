import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createCertificateAuthority } from "../../kube/webhook/certificate.ts";
import { isKubeError, KubeClient, KubeError } from "../../kube/client/client.ts";
import { startTestCluster, type TestCluster } from "../harness/kube_cluster.ts";
import { startFaultProxy } from "../harness/tcp_fault_proxy.ts";

const configMaps = { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap", namespaced: true };

function makeMap(name: string, data: Record<string, string> = {}) {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, data };
}

interface ConfigMap {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}

Deno.test("KubeClient against a real API server", async (t) => {
  const cluster = await startTestCluster();
  try {
    await t.step("creates, reads, patches, applies and deletes", () => writesAndReads(cluster));
    await t.step("a dry run stores nothing, and warnings come back", () => dryRunsAndWarnings(cluster));
    await t.step("lists in pages", () => listsInPages(cluster));
    await t.step("watches, and ends when the server, the consumer or the signal says so", () => watches(cluster));
    await t.step("asks for the token again once when it is refused", () => refreshesToken(cluster));
    await t.step("leaves a dead connection after a timeout", () => leavesDeadConnection(cluster));
    await t.step("answers at once beside 110 watches and 110 requests that take their time", () => staysFree(cluster));
    await t.step("has one connection for 40 watches and the requests beside them", () => sharesConnection(cluster));
    await t.step("says in one line what is wrong with a connection", () => explainsFailures(cluster));
  } finally {
    await cluster.stop();
  }
});

async function writesAndReads({ client }: TestCluster): Promise<void> {
  const reference = { namespace: "default", name: "a" };
  const { object } = await client.create<ConfigMap>(configMaps, makeMap("a", { text: "é😀" }));
  assertEquals((await client.get<ConfigMap>(configMaps, reference)).data, { text: "é😀" });
  await assertRejects(() => client.create(configMaps, makeMap("a")), KubeError, 'configmaps "a" already exists');

  const merge = {
    kind: "merge",
    value: { metadata: { resourceVersion: object.metadata.resourceVersion }, data: { b: "1" } },
  } as const;
  await client.patch(configMaps, reference, { patch: merge });
  const stale = await client.patch(configMaps, reference, { patch: merge }).catch((error) => error);
  assert(isKubeError(stale, 409), "a stale version is a conflict");

  const json = { kind: "json", operations: [{ op: "remove", path: "/data/b" }] } as const;
  const patched = await client.patch<ConfigMap>(configMaps, reference, { patch: json });
  assertEquals(patched.object.data, { text: "é😀" });

  const conflict = await client.apply(configMaps, makeMap("a", { text: "x" }), { fieldManager: "other" }).catch((
    error,
  ) => error);
  assert(isKubeError(conflict, 409), "apply without force does not take fields over");
  const applied = await client.apply<ConfigMap>(configMaps, makeMap("a", { text: "x" }), {
    fieldManager: "other",
    force: true,
  });
  assertEquals(applied.object.data?.text, "x");

  const wrongUid = await client.delete(configMaps, reference, { preconditions: { uid: "x" } }).catch((error) => error);
  assert(isKubeError(wrongUid, 409), "a precondition that does not hold is a conflict");
  await client.delete(configMaps, reference, { preconditions: { uid: object.metadata.uid } });
  assert(isKubeError(await client.get(configMaps, reference).catch((error) => error), 404));
}

async function dryRunsAndWarnings({ client }: TestCluster): Promise<void> {
  const manifest = { ...makeMap("dry"), 'unknown "field"': 1 };
  const { warnings } = await client.create(configMaps, manifest, { dryRun: true });
  assertEquals(warnings, ['unknown field "unknown \\"field\\""']);
  assert(isKubeError(await client.get(configMaps, manifest.metadata).catch((error) => error), 404));
}

async function listsInPages({ client }: TestCluster): Promise<void> {
  for (let index = 0; index < 5; index++) await client.create(configMaps, makeMap(`page-${index}`));
  const names: string[] = [];
  let token: string | undefined;
  do {
    const page = await client.list<ConfigMap>(configMaps, { namespace: "default", limit: 2, continue: token });
    assert(page.items.length <= 2);
    names.push(...page.items.map((item) => item.metadata.name));
    token = page.continue;
  } while (token !== undefined);
  assertEquals(names.filter((name) => name.startsWith("page-")).length, 5);
}

async function watches({ client }: TestCluster): Promise<void> {
  const { resourceVersion } = await client.list(configMaps, { namespace: "default" });
  const big = "é😀".repeat(50_000);
  const seen: string[] = [];
  await client.create(configMaps, makeMap("watched", { big }));
  for await (
    const event of client.watch<ConfigMap>(configMaps, { namespace: "default", resourceVersion, timeoutSeconds: 2 })
  ) {
    if (event.type === "ERROR") throw new Error(event.object.message);
    seen.push(`${event.type} ${event.object.metadata.name}`);
    if (event.object.metadata.name === "watched") assertEquals(event.object.data?.big, big);
  }
  assert(seen.includes("ADDED watched"), seen.join());

  for await (const _event of client.watch(configMaps, { namespace: "default", resourceVersion })) break;

  const stop = new AbortController();
  const stream = client.watch(configMaps, { namespace: "default", resourceVersion: "0", signal: stop.signal });
  await stream.next();
  stop.abort(new Error("enough"));
  await assertRejects(async () => await Array.fromAsync(stream), Error, "enough");

  const old = client.watch(configMaps, { resourceVersion: "1" });
  const first = await old.next().catch((error) => error);
  const code = first instanceof KubeError
    ? first.status
    : first.value?.type === "ERROR"
    ? first.value.object.code
    : first.value?.type;
  assert(code === 410 || code === "ADDED", `${code}`);
  await old.return();
}

async function refreshesToken({ config, client }: TestCluster): Promise<void> {
  const path = "/api/v1/namespaces/default/serviceaccounts/default/token";
  const accounts = { group: "", version: "v1", plural: "serviceaccounts", kind: "ServiceAccount", namespaced: true };
  await client.apply(accounts, {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default", namespace: "default" },
  }, {
    force: true,
  });
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 600 } };
  const { object } = await client.request<{ status: { token: string } }>("POST", path, { body });
  const asked: boolean[] = [];
  const token = ({ refresh }: { readonly refresh: boolean }) => {
    asked.push(refresh);
    return Promise.resolve(refresh ? object.status.token : "expired");
  };
  const { server, certificateAuthority = "" } = config;
  const account = new KubeClient({ server, certificateAuthority, token });
  assertEquals((await account.request("GET", "/version")).object !== undefined, true);
  const { object: who } = await account.request<{ status: { userInfo: { username: string } } }>(
    "POST",
    "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    { body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" } },
  );
  assertEquals(who.status.userInfo.username, "system:serviceaccount:default:default");
  assertEquals(asked, [false, true, false, true]);
  const refused = new KubeClient({ server, certificateAuthority, token: () => Promise.resolve("bad") });
  assert(isKubeError(await refused.request("GET", "/version").catch((error) => error), 401));
  account.close();
  refused.close();
}

async function leavesDeadConnection({ config }: TestCluster): Promise<void> {
  const proxy = startFaultProxy(Number(new URL(config.server).port));
  const client = new KubeClient({ ...config, server: `https://127.0.0.1:${proxy.port}` });
  try {
    await client.request("GET", "/readyz");
    proxy.freeze();
    const failure = await client.request("GET", "/readyz", { timeoutMs: 300 }).catch((error) => error);
    assertEquals([failure.status, failure.reason], [0, "Unreachable"]);
    assertEquals(failure.message, `Cannot reach the API server at ${client.server}: no answer within 0.3 s`);
    assertEquals((await client.request("GET", "/readyz", { timeoutMs: 5_000 })).object, "ok");
    proxy.cut();
    // The one request that was given the lost connection fails at once; the next does not.
    const lost = await client.request("GET", "/readyz").catch((error) => error);
    if (lost instanceof KubeError) assert(lost.message.endsWith("the connection was lost"), lost.message);
    await client.request("GET", "/readyz");
  } finally {
    client.close();
    proxy.close();
  }
}

/** More than the API server lets through one connection. */
const MANY = 110;
/** Whoever leaves a large object unread holds up everybody on his connection. */
const fieldSelector = "metadata.name=page-0";

async function staysFree({ client }: TestCluster): Promise<void> {
  const stop = new AbortController();
  const options = { namespace: "default", resourceVersion: "0", fieldSelector, signal: stop.signal };
  const streams = Array.from({ length: MANY }, () => client.watch(configMaps, options));
  try {
    const opened = await Promise.all(streams.map((stream) => stream.next()));
    assertEquals(opened.filter(({ value }) => value?.type === "ADDED").length, MANY, "all of them are open");
    await readsAtOnce(client);

    // An API server holds a watch open for whoever asks for it, also as a request.
    const query = { watch: true, timeoutSeconds: 30, fieldSelector };
    const path = "/api/v1/namespaces/default/configmaps";
    const slow = Array.from({ length: MANY }, () => client.request("GET", path, { query, signal: stop.signal }));
    const ended = Promise.allSettled(slow);
    await readsAtOnce(client);
    stop.abort(new Error("enough"));
    assertEquals((await ended).filter(({ status }) => status === "rejected").length, MANY, "all were under way");
  } finally {
    stop.abort(new Error("enough"));
    await Promise.allSettled(streams.map((stream) => Array.fromAsync(stream)));
  }
}

async function readsAtOnce(client: KubeClient): Promise<void> {
  assertEquals((await client.request("GET", "/readyz", { timeoutMs: 10_000 })).object, "ok");
}

async function sharesConnection({ config }: TestCluster): Promise<void> {
  const proxy = startFaultProxy(Number(new URL(config.server).port));
  const client = new KubeClient({ ...config, server: `https://127.0.0.1:${proxy.port}` });
  const stop = new AbortController();
  try {
    await client.request("GET", "/readyz");
    let begun = 0;
    const onOpen = () => void begun++;
    const options = { namespace: "default", resourceVersion: "0", fieldSelector, signal: stop.signal, onOpen };
    const streams = Array.from({ length: 40 }, () => client.watch(configMaps, options));
    await Promise.all(streams.map((stream) => stream.next()));
    await readsAtOnce(client);
    assertEquals([proxy.attempts, begun], [1, 40]);
    stop.abort(new Error("enough"));
    await Promise.allSettled(streams.map((stream) => stream.next()));
  } finally {
    client.close();
    proxy.close();
  }
}

async function explainsFailures({ config, stopApiServer, startApiServer, client }: TestCluster): Promise<void> {
  const stranger = await createCertificateAuthority({ commonName: "stranger", validDays: 1, now: new Date() });
  const distrusting = new KubeClient({ ...config, certificateAuthority: stranger.certificate });
  await assertRejects(
    () => distrusting.request("GET", "/readyz"),
    KubeError,
    "is signed by an authority that is not trusted here",
  );
  distrusting.close();

  const unknown = new KubeClient({ ...config, server: "https://no-such-host.invalid:6443" });
  await assertRejects(() => unknown.request("GET", "/readyz"), KubeError, "the host name is not known");
  unknown.close();

  assertThrows(() => new KubeClient({ server: "localhost:6443" }), TypeError, "must be an https URL");
  assertThrows(
    () => new KubeClient({ ...config, certificateAuthority: "nonsense" }),
    TypeError,
    "Cannot use the certificates",
  );
  const { server, clientCertificate = "" } = config;
  assertThrows(() => new KubeClient({ server, clientCertificate }), TypeError, "must be given together");

  await stopApiServer();
  const down = await client.request("GET", "/readyz").catch((error) => error);
  assertEquals([down.status, down.message.includes("\n")], [0, false]);
  assert(/connection refused|connection was lost/.test(down.message), down.message);
  await startApiServer();
  assertEquals((await client.request("GET", "/readyz")).object, "ok");
}

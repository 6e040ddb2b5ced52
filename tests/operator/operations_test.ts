import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type Config, parseCommandLine } from "../../handlers/config.ts";
import { findFreePort } from "../../local/ports.ts";
import { type Connections, run, StartError } from "../../main.ts";
import { startHoldingProxy } from "../harness/holding_proxy.ts";
import { startTestOperator, type TestOperator } from "../harness/operator.ts";
import { REVIEW_UID, tableReview } from "../harness/table_review.ts";
import { eventually } from "../harness/wait.ts";

const operator = await startTestOperator("operations");
const { namespace, testbed } = operator;
const admission = await admissionClient(operator);

interface Reply {
  readonly status: number;
  readonly text: string;
}

async function ask(port: number, path: string): Promise<Reply> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(5_000) });
  return { status: response.status, text: await response.text() };
}

/** Trusts what the API server trusts. */
async function admissionClient({ kubectl, namespace }: TestOperator): Promise<Deno.HttpClient> {
  const configuration = JSON.parse(
    await kubectl.ok(["get", "validatingwebhookconfiguration", namespace, "-o", "json"]),
  ) as { webhooks: readonly { clientConfig: { caBundle: string } }[] };
  return Deno.createHttpClient({ caCerts: [atob(configuration.webhooks[0]?.clientConfig.caBundle ?? "")] });
}

async function post(body: string, path = "/validate"): Promise<Reply> {
  const response = await fetch(`https://127.0.0.1:${operator.webhookPort}${path}`, {
    client: admission,
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
  });
  return { status: response.status, text: await response.text() };
}

function review(spec: unknown, request: Record<string, unknown> = {}, review: Record<string, unknown> = {}): string {
  return tableReview({ namespace, name: "direct", spec }, request, review);
}

const SPEC = { tableName: "direct", columns: [{ id: "integer" }], primaryKey: "id" };

Deno.test("health, readiness and their checks are served, and nothing else", async () => {
  assertEquals(await ask(operator.httpPort, "/healthz"), { status: 200, text: "ok\n" });
  assertEquals(await ask(operator.httpPort, "/healthz?verbose"), {
    status: 200,
    text:
      "[+]event-loop ok\n[+]watch-databasetable ok\n[+]workers-databasetable ok\n[+]watch-database ok\n[+]watch-database-pod ok\n" +
      "[+]watch-database-service ok\n[+]watch-database-persistentvolumeclaim ok\n[+]workers-database ok\n" +
      "[+]watch-sample ok\n[+]watch-sample-deployment ok\n[+]workers-sample ok\n",
  });
  assertEquals(await ask(operator.httpPort, "/readyz"), { status: 200, text: "ok\n" });
  assertEquals(await ask(operator.httpPort, "/readyz?verbose"), {
    status: 200,
    text:
      "[+]shutdown ok\n[+]listener ok\n[+]cache-databasetable ok\n[+]cache-database ok\n[+]cache-sample ok\n[+]access ok\n" +
      "[+]database ok\n[+]webhook-configurations ok\n",
  });
  for (const path of ["/", "/metrics/../etc/passwd", "/healthz/x", "/%00"]) {
    assertEquals((await ask(operator.httpPort, path)).status, 404, path);
  }
});

Deno.test("until the first list is complete the operator is alive and not ready", async () => {
  await using api = startHoldingProxy(testbed, /\/databasetables\?/);
  await using second = startSecond({ cluster: { server: api.server } }, ["--no-crds", "--webhooks", "off"]);
  await api.held;
  assertEquals(await ask(second.httpPort, "/healthz"), { status: 200, text: "ok\n" });
  const { status, text } = await ask(second.httpPort, "/readyz");
  assertEquals(status, 503);
  assertStringIncludes(text, "[-]cache-databasetable failed: the first list is not complete\n");
  api.release();
  await eventually("ready", async () => (await ask(second.httpPort, "/readyz")).status === 200 || undefined);
});

Deno.test("a good review is judged, and the answer carries its uid", async () => {
  const { status, text } = await post(review(SPEC));
  assertEquals(status, 200);
  const { response } = JSON.parse(text);
  assertEquals([response.uid, response.allowed], [REVIEW_UID, true]);
});

Deno.test("what is no review is answered with 4xx and one line", async () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  const bad: Readonly<Record<string, string>> = {
    "an empty body": "",
    "no JSON": "kind: AdmissionReview",
    "half a review": review(SPEC).slice(0, -10),
    "null": "null",
    "another kind": review(SPEC, {}, { kind: "TokenReview" }),
    "another version": review(SPEC, {}, { apiVersion: "admission.k8s.io/v1beta1" }),
    "no request": review(SPEC, {}, { request: undefined }),
    "no uid": review(SPEC, { uid: undefined }),
    "an empty uid": review(SPEC, { uid: "" }),
    "an unknown operation": review(SPEC, { operation: "PATCH" }),
    "no resource": review(SPEC, { resource: undefined }),
    "no object": review(SPEC, { object: null }),
    "an object without metadata": review(SPEC, { object: { spec: SPEC } }),
    "another resource": review(SPEC, { resource: { group: "apps", version: "v1", resource: "deployments" } }),
    "a resource named like a member": review(SPEC, {
      resource: { group: "kopf.demo", version: "v1", resource: "__proto__" },
    }),
    "100,000 levels": deep,
    "100,000 levels of objects": '{"a":'.repeat(100_000) + "1" + "}".repeat(100_000),
  };
  for (const path of ["/validate", "/mutate"]) {
    for (const [what, body] of Object.entries(bad)) {
      const { status, text } = await post(body, path);
      assertEquals(status >= 400 && status < 500, true, `${path}, ${what}: ${status} ${text}`);
      assertEquals(/^Cannot .{10,200}$/.test(text), true, `${path}, ${what}: ${text}`);
    }
  }
  assertEquals((await ask(operator.httpPort, "/healthz")).status, 200);
});

Deno.test("a review whose object is nested 50,000 levels deep is judged, one of metadata is no review, and 100,000 are too many", async () => {
  const column = { id: { type: "integer", default: "DEEP" } };
  const metadata = { name: "direct", namespace, annotations: { deep: "DEEP" } };
  const nested = [
    { field: "spec", body: review("DEEP"), allowed: false },
    { field: "columns", body: review({ ...SPEC, columns: "DEEP" }), allowed: false },
    { field: "default", body: review({ ...SPEC, columns: [column] }), allowed: false },
  ];
  const annotated = review(SPEC, { object: { metadata, spec: SPEC } });
  const levels = (count: number) => "[".repeat(count) + "]".repeat(count);
  const deep = levels(50_000);
  for (const { field, body, allowed } of nested) {
    const [judged, patched] = await Promise.all(
      ["/validate", "/mutate"].map((path) => post(body.replace('"DEEP"', deep), path)),
    );
    assertEquals([judged?.status, patched?.status], [200, 200], field);
    assertEquals(JSON.parse(judged?.text ?? "").response.allowed, allowed, field);
  }
  for (const path of ["/validate", "/mutate"]) {
    assertEquals((await post(annotated.replace('"DEEP"', deep), path)).status, 400, path);
    assertEquals((await post(annotated.replace('"DEEP"', levels(100_000)), path)).status, 413, path);
  }
  assertEquals((await ask(operator.httpPort, "/healthz")).status, 200);
});

Deno.test("a review of 2.9 MiB is judged, one of more than 7 MiB is refused", async () => {
  const metadata = { name: "direct", namespace, annotations: { filler: "x".repeat(2.9 * 1024 * 1024) } };
  const { status, text } = await post(review(SPEC, { object: { metadata, spec: SPEC } }));
  assertEquals([status, JSON.parse(text).response.allowed], [200, true]);
  const limit = 7 * 1024 * 1024;
  const body = review(SPEC);
  assertEquals((await post(body + " ".repeat(limit - body.length))).status, 200);
  assertEquals((await post(body + " ".repeat(limit + 1 - body.length))).status, 413);
});

Deno.test("the admission server takes POST on its two paths only", async () => {
  const address = `https://127.0.0.1:${operator.webhookPort}`;
  for (const [method, path] of [["GET", "/validate"], ["PUT", "/mutate"], ["POST", "/"], ["POST", "/validate/x"]]) {
    const response = await fetch(`${address}${path}`, { client: admission, method: method ?? "" });
    await response.body?.cancel();
    assertEquals(response.status, 404, `${method} ${path}`);
  }
});

Deno.test("a port in use ends the start with one line that names its flag", async () => {
  for (const [flag, port] of [["--http-port", operator.httpPort], ["--webhook-port", operator.webhookPort]] as const) {
    const error = await assertRejects(() => startAndFail({}, ["--webhooks", "off", flag, String(port)]), StartError);
    assertEquals(error.message, `Cannot listen on port ${port}: it is in use; choose another with ${flag}`);
  }
});

Deno.test("an API server that refuses or never answers ends the start, with one line", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const refusing = `https://127.0.0.1:${findFreePort()}`;
  const mute = `https://127.0.0.1:${silent.addr.port}`;
  const before = performance.now();
  const errors = await Promise.all(
    [refusing, mute].map((server) => assertRejects(() => startAndFail({ cluster: { server } }), StartError)),
  );
  assertEquals(errors.map((error: StartError) => error.message), [
    `Cannot reach the API server at ${refusing}: connection refused`,
    `Cannot reach the API server at ${mute}: no answer within 5 s`,
  ]);
  // It asks for 10 s, of which the last question may take 5 more.
  assertEquals(performance.now() - before < 30_000, true);
});

Deno.test("a bad DATABASE_URL ends the start with one line that holds no password", async () => {
  for (
    const databaseUrl of [
      "postgres://user:hidden@127.0.0.1:notaport/db",
      "mysql://user:hidden@127.0.0.1/db",
      "host=127.0.0.1 password=hidden",
      "postgres://user:hidden@127.0.0.1/db?sslmode=nonsense",
    ]
  ) {
    const error = await assertRejects(() => startAndFail({ databaseUrl }), StartError);
    assertStringIncludes(error.message, "Cannot ");
    assertEquals(/hidden|\n/.test(error.message), false, error.message);
  }
});

Deno.test("a superuser is refused, with the statements that make a proper role", async () => {
  const error = await assertRejects(() => startAndFail({ databaseUrl: testbed.superuserUrl }), StartError);
  assertStringIncludes(error.message, "CREATE ROLE tablewright LOGIN NOSUPERUSER PASSWORD");
  assertStringIncludes(error.message, "--allow-superuser");
  assertEquals(error.message.includes("\n"), false);
});

Deno.test("the program itself ends with one line and an exit code", async () => {
  const { kubeconfigPath } = testbed;
  const missing = `${kubeconfigPath}.missing`;
  const cases: readonly { args?: string[]; env?: Record<string, string>; code: number; says: string }[] = [
    { args: ["--bogus"], code: 64, says: "unknown flag --bogus; see --help" },
    { args: ["-n", "a", "-A"], code: 64, says: "-n and -A exclude each other; see --help" },
    { args: ["--http-port", "99999"], code: 64, says: "--http-port must be a whole number from 1 to 65535" },
    { code: 1, says: "Cannot choose a cluster: set KUBECONFIG" },
    { env: { KUBECONFIG: kubeconfigPath }, code: 1, says: "Cannot choose a database: DATABASE_URL must be set" },
    { env: { KUBECONFIG: missing, DATABASE_URL: operator.databaseUrl }, code: 1, says: missing },
    { env: { KUBECONFIG: kubeconfigPath, DATABASE_URL: testbed.superuserUrl }, code: 1, says: "CREATE ROLE" },
  ];
  for (const { args = [], env = {}, code, says } of cases) {
    const ended = await runProgram(args, env);
    assertEquals([ended.code, ended.stdout], [code, ""], ended.stderr);
    assertStringIncludes(ended.stderr, says);
    assertEquals(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr);
  }
});

Deno.test("the operator stops in order", async () => {
  admission.close();
  await operator.close();
});

interface Changes {
  readonly cluster?: { readonly server: string };
  readonly databaseUrl?: string;
}

function prepare(changes: Changes, flags: readonly string[]): { config: Config; connections: Connections } {
  const ports = ["--http-port", String(findFreePort()), "--webhook-port", String(findFreePort())];
  const command = parseCommandLine(["-q", ...ports, "-n", namespace, "--instance", "second", ...flags], {});
  if (command.kind !== "run") throw new Error(`bad flags: ${JSON.stringify(command)}`);
  const { server, certificateAuthority, clientCertificate, clientKey } = testbed;
  const cluster = { server, certificateAuthority, clientCertificate, clientKey, ...changes.cluster };
  const databaseUrl = changes.databaseUrl ?? operator.databaseUrl;
  return { config: command.config, connections: { cluster, databaseUrl, embeddedCluster: true } };
}

async function startAndFail(changes: Changes, flags: readonly string[] = []): Promise<void> {
  const { config, connections } = prepare(changes, flags);
  await run(config, connections, new AbortController().signal);
}

/** A second operator on the same cluster and database. */
function startSecond(changes: Changes, flags: readonly string[]): AsyncDisposable & { readonly httpPort: number } {
  const { config, connections } = prepare(changes, flags);
  const stop = new AbortController();
  const ended = run(config, connections, stop.signal);
  return {
    httpPort: config.httpPort,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

async function runProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { KUBECONFIG: _kubeconfig, DATABASE_URL: _databaseUrl, KUBERNETES_SERVICE_HOST: _host, ...rest } = Deno.env
    .toObject();
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", "main.ts", ...args],
    clearEnv: true,
    env: { ...rest, NO_COLOR: "1", ...env },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { findFreePort } from "../../local/ports.ts";
import { refusal, startApiProxy } from "../harness/api_proxy.ts";
import { startTestOperator } from "../harness/operator.ts";
import { eventually } from "../harness/wait.ts";

const operator = await startTestOperator("failures");
const { testbed, namespace, databaseUrl } = operator;
await operator.stopOperator();
const folder = await Deno.makeTempDir({ prefix: "tablewright-failures-" });

interface Ended {
  readonly code: number;
  readonly stderr: string;
}

/** Only the entries end a process: `main.ts` and `deno task run`. */
function spawn(entry: string, args: readonly string[], kubeconfig: string): Deno.ChildProcess {
  const { KUBERNETES_SERVICE_HOST: _host, ...env } = Deno.env.toObject();
  const ports = ["--webhooks", "off", "--webhook-port", String(findFreePort())];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", entry, "-q", "-n", namespace, ...ports, ...args],
    clearEnv: true,
    env: { ...env, NO_COLOR: "1", KUBECONFIG: kubeconfig, DATABASE_URL: databaseUrl },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

async function endOf(child: Deno.ChildProcess): Promise<Ended> {
  const { code, stderr } = await child.output();
  return { code, stderr: new TextDecoder().decode(stderr).trimEnd() };
}

async function writeKubeconfig(name: string, cluster: Readonly<Record<string, unknown>>): Promise<string> {
  const path = `${folder}/${name}`;
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "c",
    clusters: [{ name: "c", cluster }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    users: [{ name: "u", user: {} }],
  };
  await Deno.writeTextFile(path, JSON.stringify(config));
  return path;
}

async function isReady(port: number): Promise<true | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.status === 200 || undefined;
}

for (const entry of ["main.ts", "local/run.ts"]) {
  Deno.test(`${entry} ends with one line where it may not install the definitions`, async () => {
    await using api = startApiProxy(testbed, ({ method, path }) => {
      const isInstall = method === "PATCH" && path.includes("customresourcedefinitions");
      return Promise.resolve(isInstall ? refusal(403, 'User "ann" cannot patch\nthat') : undefined);
    });
    const kubeconfig = await writeKubeconfig("forbidden", { server: api.server, "insecure-skip-tls-verify": true });
    const { code, stderr } = await endOf(spawn(entry, ["--http-port", String(findFreePort())], kubeconfig));
    assertEquals([code, stderr.split("\n").length], [1, 1], stderr);
    assertStringIncludes(stderr, 'Cannot install the CustomResourceDefinitions and the static policy: User "ann"');
    assertStringIncludes(stderr, "--no-crds");
  });

  Deno.test(`${entry} ends with one line where the cluster's certificate cannot be read`, async () => {
    const nonsense = btoa("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n");
    const cluster = { server: testbed.server, "certificate-authority-data": nonsense };
    const { code, stderr } = await endOf(spawn(entry, [], await writeKubeconfig("bad-ca", cluster)));
    assertEquals([code, stderr.split("\n").length], [1, 1], stderr);
    assertStringIncludes(stderr, "Cannot use the certificates for the API server");
  });

  Deno.test(`${entry} ends with one line where health cannot be served at the address`, async () => {
    const flags = ["-L", "http://no-such-host.invalid:8080", "--no-crds"];
    const { code, stderr } = await endOf(spawn(entry, flags, testbed.kubeconfigPath));
    assertEquals([code, stderr.split("\n").length], [1, 1], stderr);
    assertStringIncludes(stderr, "the host name is not known; choose another with --liveness");
  });

  Deno.test(`${entry} serves health at the address of -L, and takes two signals at once for one`, async () => {
    const port = findFreePort();
    const child = spawn(entry, ["-L", `http://127.0.0.1:${port}/healthz`], testbed.kubeconfigPath);
    await eventually("ready", () => isReady(port));
    child.kill("SIGINT");
    child.kill("SIGTERM");
    const { code, stderr } = await endOf(child);
    assertEquals(code, 0, stderr);
  });
}

Deno.test("a start goes on where the API server answers each call only the second time", async () => {
  const calls = new Map<string, number>();
  let isStarting = true;
  await using api = startApiProxy(testbed, ({ method, path, search }) => {
    // The lists of the loops, which never give up.
    isStarting &&= !search.includes("limit=500");
    const key = `${method} ${path}`;
    const count = (calls.get(key) ?? 0) + 1;
    calls.set(key, count);
    return Promise.resolve(isStarting && count % 2 === 1 ? refusal(503, "come back soon") : undefined);
  });
  const kubeconfig = await writeKubeconfig("busy", { server: api.server, "insecure-skip-tls-verify": true });
  const port = findFreePort();
  const flags = ["--leader-election-namespace", namespace, "--http-port", String(port)];
  const child = spawn("main.ts", flags, kubeconfig);
  const ended = endOf(child);
  const first = await Promise.race([ended, eventually("ready", () => isReady(port))]);
  if (first === true) child.kill("SIGTERM");
  const { code, stderr } = await ended;
  assertEquals(code, 0, stderr);
  for (const start of ["/selfsubjectaccessreviews", `/namespaces/${namespace}`, "/databasetables.kopf.demo"]) {
    assert(calls.keys().some((key) => key.endsWith(start)), `${start}: ${[...calls.keys()]}`);
  }
});

Deno.test("what was started is stopped", async () => {
  await Deno.remove(folder, { recursive: true });
  await operator.close();
});

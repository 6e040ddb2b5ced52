import { assertEquals } from "@std/assert";
import { Agent, request } from "node:https";
import { OperatorProcess } from "../harness/operator_process.ts";
import { startTestOperator } from "../harness/operator.ts";
import { type ReviewStream, streamReviews } from "../harness/review_stream.ts";

/** What strangers can send to the port of an operator, as a process of its own, while the API server still wants its answers. */
const LARGEST = 7 * 1024 * 1024;
/** What ten thousand tables take beside it (docs/performance.md). */
const TABLES_BYTES = 90_000_000;
/** Below the limit of the Deployment's Pod: over that the kernel kills the operator. */
const POD_MEMORY_BYTES = limitOfPod() - TABLES_BYTES;
const SENDERS = 24;
/** In seconds of a processor. Half of what makes /healthz fail, and many times what it takes. */
const MAX_LAG = 5;
const operator = await startTestOperator("flood");
const { namespace, testbed } = operator;
await operator.stopOperator();
const target = await new OperatorProcess({
  name: "flooded",
  kubeconfigPath: testbed.kubeconfigPath,
  databaseUrl: operator.databaseUrl,
  flags: ["-n", namespace, "--instance", namespace, "--webhooks", "off", "--no-crds"],
}).ready();

function review(spec: unknown): string {
  const [group, version, resource] = ["kopf.demo", "v1", "databasetables"];
  const object = { apiVersion: `${group}/${version}`, kind: "DatabaseTable", metadata: { name: "x", namespace }, spec };
  return JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      ...{ uid: "u", operation: "UPDATE", namespace, name: "x", object, oldObject: object },
      ...{ kind: { group, version, kind: "DatabaseTable" }, resource: { group, version, resource } },
    },
  });
}

function oddFields(count: number): Record<string, unknown> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`a~b/c${index}`, "x"]));
}

const GOOD = { tableName: "x", columns: [{ ID: "integer" }], primaryKey: "ID" };
const SMALL = review(GOOD);

interface Body {
  readonly path: "/validate" | "/mutate";
  readonly text: string;
  /** What it is answered, if there is room and time for it. */
  readonly status: number;
}

/** A body gets no answer to it where the connection is cut, time is over, or there is no room. */
const NO_ANSWERS = [0, 408, 503];

/** The most work for their size. */
const BODIES: readonly Body[] = [
  {
    path: "/validate",
    text: review({ ...GOOD, filling: Array.from({ length: 800_000 }, () => ({})) }).slice(0, LARGEST),
    status: 413,
  },
  { path: "/mutate", text: review({ ...GOOD, ...oddFields(150_000) }), status: 413 },
  { path: "/mutate", text: review({ ...GOOD, ...oddFields(28_000) }), status: 200 },
  { path: "/validate", text: review({ ...GOOD, ...oddFields(28_000) }).padEnd(LARGEST), status: 200 },
];

function limitOfPod(): number {
  const manifest = Deno.readTextFileSync(new URL("../../manifests/operator/deployment.yaml", import.meta.url));
  const [, mebibytes] = /limits: \{memory: (\d+)Mi\}/.exec(manifest) ?? [];
  if (mebibytes === undefined) throw new Error("the Deployment has no limit of memory");
  return Number(mebibytes) * 1024 * 1024;
}

interface Flood {
  /** How often each status was answered to each body; 0: the connection was cut. */
  readonly statuses: readonly ReadonlyMap<number, number>[];
  stop(): Promise<void>;
}

/** Sends the bodies again and again, each over its share of the connections. */
function startFlood(): Flood {
  const agent = new Agent({ keepAlive: true, maxSockets: SENDERS, rejectUnauthorized: false });
  const statuses = BODIES.map(() => new Map<number, number>());
  let isGoing = true;
  const senders = Array.from({ length: SENDERS }, async (_, index) => {
    const { path, text } = BODIES[index % BODIES.length] ?? { path: "/validate", text: "" };
    const bytes = new TextEncoder().encode(text);
    const counts = statuses[index % BODIES.length];
    while (isGoing) {
      const status = await post(agent, path, bytes);
      counts?.set(status, (counts.get(status) ?? 0) + 1);
    }
  });
  return {
    statuses,
    async stop() {
      isGoing = false;
      await Promise.all(senders);
      agent.destroy();
    },
  };
}

function post(agent: Agent, path: string, body: Uint8Array): Promise<number> {
  const headers = { "content-length": String(body.length) };
  return new Promise((resolve) => {
    const where = { agent, host: "127.0.0.1", port: target.webhookPort, path: `${path}?timeout=5s`, method: "POST" };
    const outgoing = request({ ...where, headers }, (response) => {
      response.resume();
      response.on("error", () => resolve(0));
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    // Whoever is refused before the body was read may find the connection closed.
    outgoing.on("error", () => resolve(0));
    outgoing.end(body);
  });
}

/** However long it takes: this process is busy with the flood, too. */
async function ask(path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${target.httpPort}${path}`);
  const text = await response.text();
  assertEquals(response.status, 200, text);
  return text;
}

function gauge(metrics: string, name: string): number {
  const value = new RegExp(`^${name} (\\S+)$`, "m").exec(metrics)?.[1];
  if (value === undefined) throw new Error(`no ${name} in the metrics`);
  return Number(value);
}

/** Answers how much of a processor the process has had since: where others want it too, everything takes longer, and that is not its doing. */
async function measureShare(): Promise<() => Promise<number>> {
  const cpuSeconds = async () => gauge(await ask("/metrics"), "process_cpu_seconds_total");
  const [cpu, start] = [await cpuSeconds(), performance.now()];
  return async () => Math.min(1, (await cpuSeconds() - cpu) / ((performance.now() - start) / 1_000));
}

/** One look at the process while usual reviews pass. */
async function watch(small: ReviewStream, peak: { memory: number; lag: number }): Promise<void> {
  await small.answers(20);
  await ask("/healthz");
  const metrics = await ask("/metrics");
  peak.memory = Math.max(peak.memory, gauge(metrics, "process_resident_memory_bytes"));
  peak.lag = Math.max(peak.lag, gauge(metrics, "tablewright_event_loop_lag_seconds"));
}

function report(what: string, facts: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${what}: ${JSON.stringify(facts)}\n`));
}

Deno.test("under a flood of the worst bodies usual reviews pass, and the process lives in the memory of its Pod", async () => {
  const share = await measureShare();
  const flood = startFlood();
  const small = streamReviews(target.webhookPort, SMALL, { connections: 4 });
  const { statuses } = flood;
  const isFlooded = () =>
    BODIES.every(({ status, text }, index) => {
      // On a busy machine the largest one may never come in time.
      return text.length === LARGEST ? statuses[index]?.size !== 0 : statuses[index]?.has(status);
    });
  const peak = { memory: 0, lag: 0 };
  try {
    do await watch(small, peak); while (!isFlooded() || small.answered < 100);
    // All the while it has had more to do than it could.
    peak.lag *= await share();
  } finally {
    await flood.stop();
    report("flood", { statuses: flood.statuses.map((each) => [...each]), ...peak });
  }
  const { lost } = await small.stop();
  assertEquals([lost, peak.memory < POD_MEMORY_BYTES, peak.lag < MAX_LAG], [[], true, true]);
  // None is answered otherwise than it deserves.
  const strange = BODIES.map(({ status }, index) => {
    return [...flood.statuses[index]?.keys() ?? []].filter((each) => each !== status && !NO_ANSWERS.includes(each));
  });
  assertEquals(strange, BODIES.map(() => []));
});

Deno.test("under a flood of connections that send nothing usual reviews pass, and the process lives in the memory of its Pod", async () => {
  const held: Deno.Conn[] = [];
  const small = streamReviews(target.webhookPort, SMALL, { connections: 4 });
  while (held.length < 5_000) {
    const more = Array.from({ length: 250 }, () => Deno.connect({ hostname: "127.0.0.1", port: target.webhookPort }));
    held.push(...await Promise.all(more));
    await small.answers(4);
  }
  const peak = { memory: 0, lag: 0 };
  for (let round = 0; round < 3; round++) await watch(small, peak);
  const { lost } = await small.stop();
  for (const each of held) each.close();
  report("idle connections", peak);
  assertEquals([lost, peak.memory < POD_MEMORY_BYTES, peak.lag < MAX_LAG], [[], true, true]);
});

Deno.test("everything stops in order", async () => {
  await target.close();
  assertEquals(target.log.filter(({ level }) => level === "error"), []);
  await operator.close();
});

import { KubeClient } from "../../../kube/client/client.ts";
import { OperatorProcess } from "../../harness/operator_process.ts";
import { openTestbed, type OwnTestbed } from "../../harness/testbed.ts";
import { findFreePort } from "../../../local/ports.ts";
import { type ApiFaultProxy, startApiFaultProxy } from "../proxies/api_fault_proxy.ts";
import { CrashSwitch } from "../crash_switch.ts";
import { watchHonesty } from "../oracles/honesty.ts";
import type { PublicText } from "../oracles/leaks.ts";
import { type ReviewProxy, startReviewProxy } from "../proxies/review_proxy.ts";
import { type PostgresFaultProxy, startPostgresFaultProxy } from "../proxies/postgres_fault_proxy.ts";
import { openStageDatabase, type StageDatabase } from "./stage_database.ts";
import { USER_AGENT } from "../user_intents.ts";

const NAMESPACES = { group: "", version: "v1", plural: "namespaces", kind: "Namespace", namespaced: false };

export interface StageOptions {
  /** A module that runs in each operator before it does. */
  readonly preload?: string;
  /** Servers of the plan's own, which end with the stage; default: those of all plans. */
  readonly testbed?: OwnTestbed;
  /** Flags of the operator beside those of every plan. */
  readonly flags?: readonly string[];
  /** Whether several operators run at a time, and elect a leader. */
  readonly elects?: boolean;
  /** Whether the API server asks the operators about what users write, all of them at the same address. */
  readonly webhooks?: boolean;
}

/** Everything that one plan needs: a namespace, a database, an operator, and faults between them. */
export interface Stage {
  readonly testbed: OwnTestbed;
  readonly namespace: string;
  readonly database: StageDatabase;
  /** As a user. */
  readonly user: KubeClient;
  readonly api: ApiFaultProxy;
  readonly postgres: PostgresFaultProxy;
  readonly reviews: ReviewProxy;
  readonly crash: CrashSwitch;
  /** Whether several operators may run at a time. */
  readonly elects: boolean;
  /** What users were told when they wrote something; plans add to it. */
  readonly heard: PublicText[];
  /** All that ran so far, the last one may still run. */
  readonly operators: readonly OperatorProcess[];
  /** Process numbers of the sessions of an operator. Each has a way of its own to PostgreSQL. */
  backendsOf(operator: OperatorProcess): ReadonlySet<number>;
  /** What was said of a table and was not so, at the time of each status write. */
  readonly lies: readonly string[];
  /** Starts an operator and waits until it is ready. */
  start(): Promise<OperatorProcess>;
  /** Starts an operator that may be killed before it is ready. */
  launch(): OperatorProcess;
  /** Asks the last operator to end, and waits. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a stage on the shared testbed. @param plan Names namespace and database, with something random behind it: files run side by side. */
export async function openStage(plan: string, options: StageOptions = {}): Promise<Stage> {
  const testbed = options.testbed ?? await openTestbed();
  const namespace = `${plan}-${crypto.randomUUID().slice(0, 6)}`;
  const database = await openStageDatabase(testbed.superuserUrl, namespace);
  const user = new KubeClient(testbed, { userAgent: USER_AGENT, fieldManager: USER_AGENT });
  await user.create(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  const operators: OperatorProcess[] = [];
  const crash = new CrashSwitch(async () => {
    operators.at(-1)?.sendIfAlive("SIGKILL");
    await operators.at(-1)?.ended;
  });
  const api = await startApiFaultProxy(testbed, crash);
  const lies: string[] = [];
  api.behaviour.onWrite = watchHonesty({ user, namespace, sql: database.sql }, lies);
  const target = Number(new URL(database.url).port);
  const proxy = startPostgresFaultProxy(target, crash);
  const heard: PublicText[] = [];
  const elects = options.elects === true;
  const ways = new Map<OperatorProcess, Way>();
  const reviews = startReviewProxy(() => operators.map(({ webhookPort }) => webhookPort).toReversed());
  const kubeconfigPath = await writeKubeconfig(api);
  const launch = () => {
    const name = `${namespace}-${operators.length + 1}`;
    // One after the other they may share a way; at the same time they must be told apart.
    const way = elects ? startPostgresFaultProxy(target, crash) : proxy;
    const ports = { http: findFreePort(), webhook: findFreePort() };
    const operator = new OperatorProcess({
      name,
      ...(options.preload === undefined ? {} : { preload: options.preload }),
      kubeconfigPath,
      databaseUrl: withPort(database.url, way.port),
      flags: [...flagsOf(namespace, { ...ports, reviews: reviews.port }, options), ...options.flags ?? []],
      ports,
      inPod: elects,
    });
    operators.push(operator);
    ways.set(operator, { proxy: way, from: way.backends.size });
    return operator;
  };
  return {
    ...{
      testbed,
      namespace,
      database,
      user,
      api,
      postgres: proxy,
      reviews,
      crash,
      elects,
      heard,
      operators,
      lies,
      launch,
    },
    backendsOf: (operator) => backendsOf(operator, ways),
    async start() {
      const operator = await launch().ready();
      // Of several only the leader registers.
      if (options.webhooks === true && !elects) await operator.says("Webhooks are registered");
      return operator;
    },
    stop: async () => await operators.at(-1)?.close(),
    async close() {
      await Promise.all(operators.map((each) => each.close()));
      await api[Symbol.asyncDispose]();
      for (const way of new Set([proxy, ...[...ways.values()].map((each) => each.proxy)])) way.close();
      reviews.close();
      user.close();
      await database.close();
      await Deno.remove(kubeconfigPath);
      await testbed.stop();
    },
  };
}

/**
 * For whoever waits for what an operator does.
 *
 * @throws {Error} if one of them gave up by itself: nobody would do it.
 */
export function assertNoneGaveUp({ operators, elects }: Stage): void {
  // A leader that has lost its Lease ends, and another one goes on.
  if (elects) return;
  for (const { name, end, words } of operators) {
    if (end === undefined || end.signal === "SIGKILL" || end.code === 0) continue;
    throw new Error(`${name} ended by itself with ${end.signal ?? end.code}: ${words.join("\n")}`);
  }
}

/** How an operator comes to PostgreSQL. */
interface Way {
  readonly proxy: PostgresFaultProxy;
  /** How many sessions were opened on it before this operator. */
  readonly from: number;
}

/** Those that were opened on its way since it was launched, and before the next one was. */
function backendsOf(operator: OperatorProcess, ways: ReadonlyMap<OperatorProcess, Way>): ReadonlySet<number> {
  const own = ways.get(operator);
  if (own === undefined) return new Set();
  const later = [...ways.values()].filter(({ proxy, from }) => proxy === own.proxy && from > own.from);
  const to = Math.min(own.proxy.backends.size, ...later.map(({ from }) => from));
  return new Set([...own.proxy.backends].slice(own.from, to));
}

interface Ports {
  readonly http: number;
  readonly webhook: number;
  /** Where the API server asks. */
  readonly reviews: number;
}

function flagsOf(namespace: string, ports: Ports, { elects, webhooks }: StageOptions): readonly string[] {
  const election = elects === true ? ["--leader-election-namespace", namespace] : [];
  const admission = webhooks === true ? ["--webhook-url", `https://127.0.0.1:${ports.reviews}`] : ["--webhooks", "off"];
  const own = ["--http-port", `${ports.http}`, "--webhook-port", `${ports.webhook}`, ...admission];
  return ["-n", namespace, "--instance", namespace, "--no-crds", ...own, ...election];
}

function withPort(url: string, port: number): string {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
}

async function writeKubeconfig({ port, certificateAuthority }: ApiFaultProxy): Promise<string> {
  const path = await Deno.makeTempFile({ prefix: "tablewright-fault-", suffix: ".kubeconfig" });
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "faults",
    clusters: [{
      name: "faults",
      cluster: {
        server: `https://127.0.0.1:${port}`,
        "certificate-authority-data": btoa(certificateAuthority),
      },
    }],
    users: [{ name: "admin", user: {} }],
    contexts: [{ name: "faults", context: { cluster: "faults", user: "admin" } }],
  };
  await Deno.writeTextFile(path, JSON.stringify(config));
  return path;
}

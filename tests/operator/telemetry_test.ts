import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { startTestOperator } from "../harness/operator.ts";
import { TableObjects } from "../harness/table_objects.ts";
import { type ReceivedSpan, startTraceReceiver } from "../harness/trace_receiver.ts";
import { eventually } from "../harness/wait.ts";

const operator = await startTestOperator("telemetry");
const { kubectl, namespace, httpPort, webhookPort } = operator;
const tables = new TableObjects(operator);
// The program itself takes the place of the operator in this process: what it writes is what users read.
await operator.stopOperator();
const receiver = startTraceReceiver();
const program = startProgram();

interface Program {
  readonly lines: string[];
  /** Asks it to stop and waits for its end. */
  stop(): Promise<number>;
}

function startProgram(): Program {
  const flags = ["--log-format", "json", "--debug", "--instance", namespace, "-n", namespace];
  const ports = ["--http-port", String(httpPort), "--webhook-port", String(webhookPort)];
  const url = ["--webhook-url", `https://127.0.0.1:${webhookPort}`];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", fromFileUrl(new URL("../../main.ts", import.meta.url)), ...flags, ...ports, ...url],
    env: {
      KUBECONFIG: operator.testbed.kubeconfigPath,
      DATABASE_URL: operator.databaseUrl,
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_BSP_SCHEDULE_DELAY: "100",
    },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const lines: string[] = [];
  const reading = readLines(child.stderr, lines);
  return {
    lines,
    async stop() {
      child.kill("SIGTERM");
      await reading;
      return (await child.status).code;
    },
  };
}

async function readLines(stream: ReadableStream<Uint8Array>, lines: string[]): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
  }
}

function entries(): readonly Record<string, unknown>[] {
  return program.lines.map((line) => JSON.parse(line));
}

async function scrape(): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/metrics`);
  assertEquals(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  return await response.text();
}

function valueOf(metrics: string, series: string): number | undefined {
  const line = metrics.split("\n").find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

async function span(name: string, isWanted: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan> {
  return await eventually(
    `a span "${name}" arrives`,
    () => receiver.spans.find((each) => each.name === name && isWanted(each)),
  );
}

Deno.test("each line of a reconcile names its object and its run", async () => {
  await eventually("ready", () => entries().some(({ message }) => message === "ready"));
  await tables.applied("logged", {});
  const uid = await kubectl.ok(["get", "databasetable", "logged", "-o", "jsonpath={.metadata.uid}"]);
  const line = await eventually(
    "the end of a reconcile is logged",
    () => entries().find(({ message, name }) => message === "Reconciled" && name === "logged"),
  );
  assertEquals({ ...line, time: 0, durationMs: 0, reconcileID: 0 }, {
    time: 0,
    level: "debug",
    message: "Reconciled",
    controller: "databasetable",
    namespace,
    name: "logged",
    uid,
    reconcileID: 0,
    result: "success",
    durationMs: 0,
  });
  assert(/^[0-9a-f-]{36}$/.test(String(line["reconcileID"])));
});

Deno.test("a review, a reconcile and its transactions are spans, the last ones within the reconcile", async () => {
  const isOfTable = ({ attributes }: ReceivedSpan) => attributes["k8s.object.name"] === "logged";
  const review = await span(
    "admission review",
    (each) => isOfTable(each) && each.attributes["url.path"] === "/validate",
  );
  assertEquals(review.attributes["tablewright.operation"], "CREATE");
  const reconcile = await span("reconcile", isOfTable);
  assertEquals(reconcile.attributes["k8s.namespace.name"], namespace);
  assertEquals(reconcile.attributes["controller"], "databasetable");
  const written = await span(
    "database transaction",
    ({ parentSpanId, attributes }) =>
      parentSpanId === reconcile.spanId && attributes["tablewright.read_only"] === false,
  );
  assertEquals(written.traceId, reconcile.traceId);
});

Deno.test("what happened is counted under the names that dashboards know, and no object's name is a label", async () => {
  const denied = await tables.denied("refused", { columns: [{ ID: "intger" }] });
  assertEquals(denied.length, 1);
  const metrics = await scrape();
  const atLeast = (series: string, least: number) => {
    const value = valueOf(metrics, series);
    assert(value !== undefined && value >= least, `${series} is ${value}`);
  };
  atLeast('controller_runtime_reconcile_total{controller="databasetable",result="success"}', 1);
  atLeast('controller_runtime_reconcile_time_seconds_count{controller="databasetable"}', 1);
  atLeast('controller_runtime_webhook_requests_total{webhook="/validate",code="200"}', 2);
  atLeast('controller_runtime_webhook_requests_total{webhook="/mutate",code="200"}', 2);
  atLeast('controller_runtime_webhook_latency_seconds_count{webhook="/validate"}', 2);
  atLeast('workqueue_adds_total{name="databasetable",controller="databasetable"}', 1);
  atLeast('tablewright_admission_verdicts_total{kind="DatabaseTable",operation="CREATE",result="allowed"}', 1);
  atLeast('tablewright_ddl_statements_total{statement="CREATE TABLE",result="success"}', 1);
  atLeast('tablewright_ddl_duration_seconds_count{statement="CREATE TABLE"}', 1);
  atLeast("process_resident_memory_bytes", 30e6);
  atLeast("tablewright_webhook_certificate_expiry_timestamp_seconds", Date.now() / 1000);
  for (
    const [series, wanted] of [
      ['tablewright_admission_verdicts_total{kind="DatabaseTable",operation="CREATE",result="denied"}', 1],
      ['controller_runtime_max_concurrent_reconciles{controller="databasetable"}', 10],
      ['controller_runtime_webhook_requests_in_flight{webhook="/validate"}', 0],
      ['tablewright_cache_synced{kind="databasetable"}', 1],
      ['leader_election_master_status{name="telemetry"}', 1],
      ['tablewright_kind_served{kind="databasetable"}', 1],
      ['tablewright_objects{kind="databasetable"}', 1],
      [`tablewright_database_reachable{database="${new URL(operator.databaseUrl).host}/tw_telemetry"}`, 1],
      ['tablewright_events_dropped_total{cause="rate"}', 0],
    ] as const
  ) {
    assertEquals(valueOf(metrics, series), wanted, series);
  }
  const host = new URL(operator.testbed.server).host;
  atLeast(`rest_client_requests_total{code="200",method="GET",host="${host}"}`, 1);
  assertEquals(metrics.split("\n").filter((line) => /logged|refused"/.test(line)), []);
});

Deno.test("docs/operations.md names every metric that there is, and no other", async () => {
  const families = [...(await scrape()).matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name);
  const document = await Deno.readTextFile(new URL("../../docs/operations.md", import.meta.url));
  const rows = document.split("\n").filter((line) =>
    /^\| `(controller_runtime|workqueue|rest_client|tablewright|process|leader)_/.test(line)
  );
  const named = rows.flatMap((row) =>
    [...(row.split("|")[1] ?? "").matchAll(/`([a-z_]+)`/g)].map(([, name = ""]) => name)
  );
  assertEquals(families.toSorted(), named.toSorted());
});

Deno.test("what the loop refuses is counted by its reason", async () => {
  await tables.applied("taken", {});
  // Another role owns it from now on; an annotation asks the loop, and no webhook.
  await operator.sql("ALTER TABLE public.taken OWNER TO CURRENT_USER");
  await tables.touch("taken");
  await eventually("the refusal is counted", async () => {
    const series = 'tablewright_plans_refused_total{kind="DatabaseTable",reason="OwnershipConflict"}';
    return (valueOf(await scrape(), series) ?? 0) >= 1;
  });
});

Deno.test("tables that were changed by hand are counted, those that are put right and those that are left so", async () => {
  const columns = [{ ID: "integer" }, { NOTE: "text" }];
  await Promise.all([
    tables.applied("mended", { columns }),
    tables.applied("left", { columns, drift: { action: "Report" } }),
  ]);
  const database = `database="${new URL(operator.databaseUrl).host}/tw_telemetry"`;
  assertEquals(valueOf(await scrape(), `tablewright_tables_drifted{${database}}`), 0);
  for (const table of ["mended", "left"]) {
    await operator.sql(`ALTER TABLE public."${table}" DROP COLUMN note`);
    await tables.touch(table);
  }
  await eventually("both are counted", async () => {
    const metrics = await scrape();
    return valueOf(metrics, `tablewright_tables_drifted{${database}}`) === 1 &&
      valueOf(metrics, 'tablewright_drift_corrected_total{kind="DatabaseTable"}') === 1;
  });
});

Deno.test("no password is in a log line, a span or a metric", async () => {
  const metrics = await scrape();
  const { password } = new URL(operator.databaseUrl);
  assert(password.length > 8 && program.lines.length > 5 && receiver.bodies.length > 0);
  for (const text of [...program.lines, ...receiver.bodies, metrics]) {
    assertEquals(text.includes(password), false, text);
  }
});

Deno.test("the program stops with code 0, and every line was one JSON object", async () => {
  assertEquals(await program.stop(), 0);
  for (const entry of entries()) {
    assertEquals([typeof entry["time"], typeof entry["level"], typeof entry["message"]], Array(3).fill("string"));
  }
  await receiver[Symbol.asyncDispose]();
  await operator.close();
});

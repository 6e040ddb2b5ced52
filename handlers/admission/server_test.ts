import { assertEquals } from "@std/assert";
import { memoryLogger } from "../../kube/telemetry/logger.ts";
import { openMetrics } from "../../kube/telemetry/metrics.ts";
import { noTracer } from "../../kube/telemetry/tracing.ts";
import { fakeKind } from "../fake_kind.ts";
import { ProbeResponder } from "./probe.ts";
import type { KindHandler } from "../registry.ts";
import { createAdmissionApp } from "./server.ts";

async function setUp(validate?: KindHandler["validate"], tokens: readonly string[] = []) {
  const metrics = await openMetrics();
  const logger = memoryLogger();
  const handler = fakeKind();
  const kind = validate === undefined ? handler : { ...handler, validate };
  const probe = new ProbeResponder(new Uint8Array(32));
  const app = createAdmissionApp({ kinds: [kind], probe, logger, telemetry: { metrics, tracer: noTracer }, tokens });
  const ask = async (path: string, request: Record<string, unknown>) => {
    const { group, version, plural } = kind.resource;
    const object = { metadata: { name: "db", namespace: "shop" }, spec: { type: "mongo" } };
    const whole = {
      uid: "r1",
      operation: "CREATE",
      namespace: "shop",
      name: "db",
      object,
      oldObject: object,
      ...request,
    };
    const review = {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      request: { ...whole, resource: { group, version, resource: plural } },
    };
    const answer = await app.request(path, { method: "POST", body: JSON.stringify(review) });
    await answer.text();
    return answer.status;
  };
  const counted = async (metric: string) => {
    const lines = (await metrics.render()).split("\n").filter((line) => line.startsWith(`${metric}{`));
    return lines.map((line) => line.slice(metric.length));
  };
  return { app, ask, counted, logger };
}

Deno.test("verdicts are counted by kind, operation and result, requests by path and status", async () => {
  const { app, ask, counted } = await setUp();
  const bad = { metadata: { name: "x", namespace: "shop" }, spec: { type: "oracle" } };
  assertEquals(await ask("/validate", {}), 200);
  assertEquals(await ask("/validate", {}), 200);
  assertEquals(await ask("/validate", { object: bad }), 200);
  assertEquals(await ask("/mutate", {}), 200);
  assertEquals((await app.request("/validate", { method: "POST", body: "no review" })).status, 400);

  assertEquals(await counted("tablewright_admission_verdicts_total"), [
    '{kind="Database",operation="CREATE",result="allowed"} 2',
    '{kind="Database",operation="CREATE",result="denied"} 1',
  ]);
  assertEquals(await counted("controller_runtime_webhook_requests_total"), [
    '{webhook="/validate",code="200"} 3',
    '{webhook="/validate",code="500"} 0',
    '{webhook="/mutate",code="200"} 1',
    '{webhook="/mutate",code="500"} 0',
    '{webhook="/validate",code="400"} 1',
  ]);
  assertEquals(await counted("controller_runtime_webhook_requests_in_flight"), [
    '{webhook="/validate"} 0',
    '{webhook="/mutate"} 0',
  ]);
});

Deno.test("what is turned away at the door is counted: it fails a user's change as well", async () => {
  const gate = Promise.withResolvers<void>();
  const { ask, counted } = await setUp(async () => {
    await gate.promise;
    return { kind: "allowed", warnings: [] };
  });
  const first = Promise.all(Array.from({ length: 1_000 }, () => ask("/validate", {})));
  assertEquals(await ask("/validate", {}), 503);
  gate.resolve();
  const refused = (await first).filter((status) => status === 503).length + 1;
  const { ask: askStrange, counted: countedStrange } = await setUp(undefined, ["a-token"]);
  assertEquals(await askStrange("/mutate", {}), 401);

  const requests = "controller_runtime_webhook_requests_total";
  assertEquals((await counted(requests)).includes(`{webhook="/validate",code="503"} ${refused}`), true);
  assertEquals((await countedStrange(requests)).includes('{webhook="/mutate",code="401"} 1'), true);
});

Deno.test("what an operation does not have is not looked at: nobody can make work of it", async () => {
  const seen: string[] = [];
  const { ask } = await setUp(({ operation, object, oldObject }) => {
    seen.push(`${operation} ${object !== undefined} ${oldObject !== undefined}`);
    return Promise.resolve({ kind: "allowed", warnings: [] });
  });
  for (const operation of ["CREATE", "UPDATE", "DELETE"]) assertEquals(await ask("/validate", { operation }), 200);
  assertEquals(seen, ["CREATE true false", "UPDATE true true", "DELETE false true"]);
});

Deno.test("a review that nobody can judge is a 500, counted as an error, and logged with its object", async () => {
  const { ask, counted, logger } = await setUp(() => Promise.reject(new TypeError("x is undefined")));
  assertEquals(await ask("/validate", { uid: "r9", operation: "UPDATE" }), 500);
  assertEquals(await counted("tablewright_admission_verdicts_total"), [
    '{kind="Database",operation="UPDATE",result="error"} 1',
  ]);
  const context = { kind: "Database", operation: "UPDATE", namespace: "shop", name: "db", reviewID: "r9" };
  assertEquals(logger.entries, [
    { level: "error", message: "cannot judge a review", properties: { ...context, error: "x is undefined" } },
  ]);
});

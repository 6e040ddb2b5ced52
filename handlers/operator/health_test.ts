import { assertEquals } from "@std/assert";
import { type HealthCheck, HealthChecks } from "./health.ts";
import { openMetrics } from "../../kube/telemetry/metrics.ts";
import { createOperationsApp } from "./operations.ts";

const fine = (name: string): HealthCheck => ({ name, weight: "required", check: () => undefined });

async function ask(checks: readonly HealthCheck[], path: string): Promise<readonly [number, string]> {
  const app = createOperationsApp({
    health: new HealthChecks(),
    readiness: new HealthChecks().add(...checks),
    metrics: await openMetrics(),
  });
  const response = await app.request(path);
  return [response.status, await response.text()];
}

Deno.test("/readyz says no more than ok until it is asked, or something that is required fails", async () => {
  assertEquals(await ask([fine("a"), fine("b")], "/readyz"), [200, "ok\n"]);
  assertEquals(await ask([fine("a"), fine("b")], "/readyz?verbose"), [200, "[+]a ok\n[+]b ok\n"]);
  const failing: HealthCheck = { name: "c", weight: "required", check: () => Promise.resolve("no answer") };
  assertEquals(await ask([fine("a"), failing], "/readyz"), [503, "[+]a ok\n[-]c failed: no answer\n"]);
});

Deno.test("what is informational makes nobody unready", async () => {
  const failing: HealthCheck = { name: "database", weight: "informational", check: () => "connection refused" };
  assertEquals(await ask([failing], "/readyz"), [200, "ok\n"]);
  assertEquals(await ask([failing], "/readyz?verbose"), [
    200,
    "[!]database failed, which is informational: connection refused\n",
  ]);
});

Deno.test("a check that throws has failed", async () => {
  const throwing: HealthCheck = {
    name: "listener",
    weight: "required",
    check: () => Promise.reject(new Error("certificate expired")),
  };
  assertEquals(await ask([throwing, fine("b")], "/readyz"), [
    503,
    "[-]listener failed: certificate expired\n[+]b ok\n",
  ]);
});

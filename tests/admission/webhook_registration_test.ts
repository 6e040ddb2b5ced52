import { assertEquals } from "@std/assert";
import { startTestOperator } from "../harness/operator.ts";

Deno.test("the webhooks fail closed also where the operator's role may make no tables in the usual schema", async () => {
  const operator = await startTestOperator("unprivileged");
  const failurePolicies = async () => {
    const text = await operator.kubectl.ok(["get", "validatingwebhookconfiguration", "unprivileged", "-o", "json"]);
    const { webhooks } = JSON.parse(text) as { webhooks: readonly { name: string; failurePolicy: string }[] };
    return webhooks.map(({ failurePolicy }) => failurePolicy);
  };
  await operator.sql(`REVOKE CREATE ON SCHEMA public FROM ${operator.role}`);
  // The probe itself is denied now, and that proves the way as well.
  await operator.restart();
  // DatabaseTable, Database and, whose DELETE nobody judges, Sample.
  assertEquals(await failurePolicies(), ["Fail", "Ignore", "Fail", "Ignore", "Fail"]);

  const annotations = { "tablewright.dev/probe": "made-by-a-stranger" };
  const bad = {
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: { name: "bad", namespace: operator.namespace, annotations },
    spec: { tableName: "bad", columns: [{ ID: "setof int" }], primaryKey: "ID" },
  };
  const { code, stderr } = await operator.kubectl.apply(bad, "--dry-run=server");
  assertEquals(
    [code, stderr.includes("tablewright "), stderr.includes("spec.columns[0].ID")],
    [1, false, true],
    stderr,
  );
  await operator.close();
});

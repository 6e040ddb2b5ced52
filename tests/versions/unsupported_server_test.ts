import { assertEquals, assertStringIncludes } from "@std/assert";
import { condition, startTestOperator } from "../harness/operator.ts";
import { startThrowawayPostgres } from "../harness/postgres_version.ts";
import { TableObjects } from "../harness/table_objects.ts";
import { openTestbed } from "../harness/testbed.ts";
import { binariesOf, isAvailable, UNSUPPORTED_VERSION } from "./binaries.ts";

async function assertOneCondition(): Promise<void> {
  const postgres = await startThrowawayPostgres(await binariesOf(UNSUPPORTED_VERSION));
  const testbed = { ...await openTestbed(), superuserUrl: postgres.superuserUrl };
  const operator = await startTestOperator("unsupported-server", { testbed });
  try {
    const objects = new TableObjects(operator);
    await objects.apply("old", { columns: [{ ID: "integer" }] });
    const ready = await condition(operator, "old", { type: "Ready", status: "False", reason: "UnsupportedServer" });
    assertStringIncludes(String(ready["message"]), "must be PostgreSQL 15 or newer: it is 14");
    const made = await operator.sql(
      "SELECT nspname FROM pg_namespace WHERE nspname = 'tablewright' UNION ALL SELECT relname FROM pg_class WHERE relname = 'old'",
    );
    assertEquals(made, []);
    await operator.kubectl.ok(["delete", "databasetable", "old", "--timeout=30s"]);
  } finally {
    await operator.close();
    await postgres.stop();
  }
}

// npm has none of that age for other machines.
if (isAvailable(UNSUPPORTED_VERSION)) {
  Deno.test(
    "a server before PostgreSQL 15 is one condition, without any DDL, and objects can be deleted",
    assertOneCondition,
  );
}

import { assertEquals } from "@std/assert";
import { understandSpec } from "../../handlers/database_table/spec/understand.ts";
import { wantedTable } from "../../handlers/database_table/verdict/judge.ts";
import { applyTable } from "../../postgres/apply/apply.ts";
import { readDatabaseId } from "../../postgres/registry/epoch.ts";
import { RegistryGate } from "../../postgres/registry/registry_gate.ts";
import { type Database, openDatabase } from "../../postgres/session/client.ts";
import { startTestDatabase, type TestDatabase } from "../harness/postgres_database.ts";

const { signal } = new AbortController();
const LIMITS = { lockTimeoutMs: 3_000, statementTimeoutMs: 20_000, signal };

let server: TestDatabase;
let database: Database;
let gate: RegistryGate;

Deno.test.beforeAll(async () => {
  server = await startTestDatabase("lost_table");
  database = openDatabase({ url: server.url, applicationName: "tablewright-test", maxConnections: 2 });
  gate = new RegistryGate(database, { allowSuperuser: false, now: () => performance.now() });
  await gate.check(signal);
});

Deno.test.afterAll(async () => {
  await database?.close();
  await server?.stop();
});

/** Applies a table that its object says it had, and of which this database knows nothing. */
async function applyAgain(tableName: string, madeIn: string | undefined): Promise<string> {
  const { desired } = await understandSpec({ tableName, columns: [{ ID: "integer" }], primaryKey: "ID" });
  const wanted = desired === undefined ? undefined : wantedTable(desired);
  if (wanted === undefined) throw new TypeError("the spec is wrong");
  const outcome = await applyTable(database, {
    ...wanted,
    owner: {
      clusterId: crypto.randomUUID(),
      namespace: "shop",
      name: tableName,
      uid: crypto.randomUUID(),
      generation: 1,
    },
    specHash: tableName,
    wasMade: true,
    madeIn,
    isLiving: () => Promise.resolve(true),
    verify: () => Promise.resolve({ faults: [], searchPath: [] }),
    judge: () => [],
  }, LIMITS);
  return outcome.kind === "conflict" ? outcome.conflict.kind : outcome.kind;
}

Deno.test("a table that this very database has lost is made again", async () => {
  assertEquals(await applyAgain("lost", gate.databaseId), "done");
});

Deno.test("a table that was made in another database, or nobody knows where, is not made here in silence", async () => {
  const elsewhere = gate.databaseId?.replace(/\/\d+$/, "/1");
  assertEquals(await applyAgain("elsewhere", elsewhere), "DatabaseChanged");
  assertEquals(await applyAgain("unknown", undefined), "DatabaseChanged");
});

Deno.test("a database has a name that lasts; a role that may not read the server's identity knows none", async () => {
  const read = () => database.transaction({ ...LIMITS, readOnly: true }, readDatabaseId);
  const [row] = await server.asSuperuser(
    "SELECT format('%s/%s', s.system_identifier, d.oid) AS id FROM pg_control_system() s, pg_database d WHERE datname = current_database()",
  );
  assertEquals([await read(), gate.databaseId], [row?.["id"], row?.["id"]]);
  await server.asSuperuser("REVOKE EXECUTE ON FUNCTION pg_catalog.pg_control_system() FROM PUBLIC");
  assertEquals(await read(), undefined);
});

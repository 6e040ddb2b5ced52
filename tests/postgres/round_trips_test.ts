import { assertEquals } from "@std/assert";
import { type AdmissionContext, admitTable } from "../../handlers/database_table/admit.ts";
import type { AdmissionRequest } from "../../handlers/admission/admission_review.ts";
import { wantedTable } from "../../handlers/database_table/verdict/judge.ts";
import { LiveCatalog } from "../../handlers/database_table/verdict/live_catalog.ts";
import { understandSpec } from "../../handlers/database_table/spec/understand.ts";
import { verifyPlan } from "../../handlers/database_table/verdict/verify.ts";
import { silentLogger } from "../../kube/telemetry/logger.ts";
import { applyTable } from "../../postgres/apply/apply.ts";
import { ensureRegistry } from "../../postgres/registry/registry.ts";
import { type Database, openDatabase } from "../../postgres/session/client.ts";
import { startTestDatabase, type TestDatabase } from "../harness/postgres_database.ts";
import { type PostgresWire, startPostgresWire } from "../harness/recording_postgres.ts";

// Counts, never times: each of them is a wait of every user, and none may come unseen.

const CLUSTER = "c0000000-0000-4000-8000-000000000001";
const SPEC = {
  schema: "public",
  tableName: "WEBSITE_USERS",
  columns: [
    { USER_ID: "integer" },
    { USER_NAME: "varchar(50)" },
    { USER_EMAIL: "varchar(100)" },
    { SIGNUP_DATE: "date" },
    { LAST_LOGIN: "timestamp" },
  ],
  primaryKey: "USER_ID",
};

let server: TestDatabase;
let wire: PostgresWire;
let database: Database;
const { signal } = new AbortController();

Deno.test.beforeAll(async () => {
  server = await startTestDatabase("round_trips");
  wire = startPostgresWire(server.url);
  database = openDatabase({ url: wire.url, applicationName: "tablewright-test", maxConnections: 1 });
  assertEquals(await ensureRegistry(database, signal), []);
});

Deno.test.afterAll(async () => {
  await database?.close();
  await wire?.[Symbol.asyncDispose]();
  await server?.stop();
});

/** What a statement is for. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^DESCRIBE/, "literals"],
  [/^SELECT pg_catalog.set_config/, "settings"],
  [/^SELECT json_build_object/, "observe"],
  [/FROM tablewright.owned_table\s+WHERE/, "owned"],
  [/has_schema_privilege/, "schema"],
  [/server_version_num'\)::int4/, "server"],
  [/^WITH others/, "claim"],
  [/pg_try_advisory_xact_lock/, "lock"],
  [/^UPDATE tablewright.owned_table/, "record"],
  [/INSERT INTO tablewright.history/, "history"],
  [/^(BEGIN|COMMIT|CREATE TABLE)/, "$1"],
];

function kindOf(text: string): string {
  const [pattern, kind] = KINDS.find(([each]) => each.test(text)) ?? [/^/, `? ${text.slice(0, 80)}`];
  return kind === "$1" ? pattern.exec(text)?.[1] ?? "" : kind;
}

function turns(): readonly string[] {
  return wire.turns.map((statements) => statements.map(kindOf).join(", "));
}

function review(operation: AdmissionRequest["operation"], name: string, spec: unknown): AdmissionRequest {
  const object = { metadata: { name, namespace: "shop" }, spec };
  const resource = { group: "kopf.demo", version: "v1", resource: "databasetables" };
  const oldObject = operation === "UPDATE" ? object : undefined;
  return {
    uid: "1",
    operation,
    resource,
    kind: "DatabaseTable",
    namespace: "shop",
    name,
    object,
    oldObject,
    dryRun: false,
  };
}

function admission(): AdmissionContext {
  return {
    catalog: new LiveCatalog({ database, clusterId: CLUSTER, allowedFunctions: new Set() }),
    isNamespaceTerminating: () => Promise.resolve(false),
    now: () => performance.now(),
    logger: silentLogger,
  };
}

async function create(
  name: string,
  number: number,
  history: { isNew?: boolean; wasMade?: boolean } = {},
): Promise<void> {
  const { desired } = await understandSpec({ ...SPEC, tableName: name });
  const wanted = desired === undefined ? undefined : wantedTable(desired);
  if (desired === undefined || wanted === undefined) throw new Error("the spec is wrong");
  const uid = `a0000000-0000-4000-8000-00000000000${number}`;
  const outcome = await applyTable(database, {
    ...wanted,
    owner: { clusterId: CLUSTER, namespace: "shop", name, uid, generation: 1 },
    specHash: name,
    wasMade: false,
    ...history,
    isLiving: () => Promise.resolve(true),
    verify: (transaction, seen) => verifyPlan(transaction, desired, { ...seen, allowed: new Set() }),
    judge: () => [],
  }, { lockTimeoutMs: 3_000, statementTimeoutMs: 20_000, signal });
  assertEquals(outcome.kind, "done");
}

const LOOK = "BEGIN, settings, owned, observe, schema, server";

/** The round trips of one piece of work on a connection that has done the same before, and the statements that were parsed. */
async function roundTripsOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  wire.clear();
  await work();
  return turns();
}

Deno.test("a review is judged in one round trip, and only BEGIN and the ROLLBACK before it are parsed", async () => {
  const admit = (request: AdmissionRequest) => admitTable(request, admission(), signal);
  await admit(review("CREATE", "warm-up", SPEC));
  assertEquals(await roundTripsOf(() => admit(review("CREATE", "website-users", SPEC))), [LOOK]);
  assertEquals(wire.parsed, 2);
  assertEquals(await roundTripsOf(() => admit(review("UPDATE", "website-users", SPEC))), [LOOK]);
});

Deno.test("a review of a literal default asks the server what it means, in one more round trip", async () => {
  const columns = [{ ID: "integer" }, { NAME: { type: "text", default: "nobody" } }];
  const request = review("CREATE", "defaults", { ...SPEC, columns, primaryKey: "ID" });
  assertEquals(await roundTripsOf(() => admitTable(request, admission(), signal)), [LOOK, "BEGIN, settings, literals"]);
});

const MADE = [
  "BEGIN, settings",
  "claim, lock, owned, observe, schema, server",
  "CREATE TABLE, observe",
  "record, history, COMMIT",
];

Deno.test("a new table is made in four round trips, and what they saw tells that nothing is left", async () => {
  await create("warm_up", 1);
  assertEquals(await roundTripsOf(() => create("made", 2, { isNew: true })), MADE);
  // BEGIN and its end, and what has the user's names in it.
  assertEquals(wire.parsed, 3);
});

Deno.test("an object of which something was told is looked at first", async () => {
  assertEquals(await roundTripsOf(() => create("told", 4)), [LOOK, ...MADE]);
});

Deno.test("what was taken for new and is there is left by one round trip, and looked at", async () => {
  await create("there", 5);
  const [begin = "", claim = ""] = MADE;
  assertEquals(await roundTripsOf(() => create("there", 5, { isNew: true })), [begin, claim, LOOK]);
});

Deno.test("a table that is as it should be costs one round trip", async () => {
  await create("kept", 3);
  assertEquals(await roundTripsOf(() => create("kept", 3, { wasMade: true })), [LOOK]);
});

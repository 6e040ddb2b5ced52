import { assert, assertEquals } from "@std/assert";
import { type Database, openDatabase, type Transaction } from "../../postgres/session/client.ts";
import { observeRelations } from "../../postgres/catalog/catalog.ts";
import {
  addMember,
  adoptEpoch,
  appendHistory,
  claim,
  type ClaimRequest,
  ensureRegistry,
  type Expressions,
  findOwned,
  forget,
  type Members,
  type OwnedTable,
  type Owner,
  record,
  registryFaults,
  takeOver,
} from "../../postgres/registry/registry.ts";
import { startTestDatabase, type TestDatabase } from "../harness/postgres_database.ts";

const { signal } = new AbortController();
const CLUSTER = "c0000000-0000-4000-8000-000000000001";
const ROLE = "tw_registry_operator";

let server: TestDatabase;
let database: Database;

Deno.test.beforeAll(async () => {
  server = await startTestDatabase("registry");
  database = open(server.url);
});

Deno.test.afterAll(async () => {
  await database?.close();
  await server?.stop();
});

Deno.test.beforeEach(async () => {
  await server.asSuperuser(
    "DROP SCHEMA IF EXISTS tablewright CASCADE",
    "DROP SCHEMA public CASCADE",
    "CREATE SCHEMA public",
    `GRANT USAGE, CREATE ON SCHEMA public TO ${ROLE}`,
  );
});

function open(url: string): Database {
  return openDatabase({ url, applicationName: "tablewright-test", maxConnections: 4 });
}

function write<T>(work: (transaction: Transaction) => Promise<T>, on: Database = database): Promise<T> {
  return on.transaction({ readOnly: false, lockTimeoutMs: 5_000, statementTimeoutMs: 10_000, signal }, work);
}

function run(...statements: readonly string[]): Promise<void> {
  return write(async (transaction) => {
    for (const statement of statements) await transaction.query(statement);
  });
}

async function ready(): Promise<void> {
  assertEquals(await ensureRegistry(database, signal), []);
}

function owner(changes: Partial<Owner> = {}): Owner {
  const uid = "a0000000-0000-4000-8000-000000000001";
  return { clusterId: CLUSTER, namespace: "default", name: "users", uid, generation: 1, ...changes };
}

function uid(number: number): string {
  return `a0000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

function request(changes: Partial<ClaimRequest> = {}): ClaimRequest {
  return { owner: owner(), schema: "public", table: "users", specHash: "hash", ...changes };
}

async function claimed(changes: Partial<ClaimRequest> = {}): Promise<OwnedTable> {
  const result = await write((transaction) => claim(transaction, request(changes)));
  if (result.kind !== "claimed") throw new Error(`not claimed: ${result.kind}`);
  return result.row;
}

const MEMBERS: Members = { column: ["id", "name"], constraint: ["users_pkey"], index: [] };
const EXPRESSIONS: Expressions = {
  "default/name": ["'it''s'", "'it''s'::text"],
  "check/users_n_check": [null, "(n > 0)"],
};
const CREATE_USERS =
  "CREATE TABLE public.users (id integer PRIMARY KEY, name text DEFAULT 'it''s', n int CHECK (n > 0))";

async function recordUsers(
  transaction: Transaction,
  expressions: Expressions = {},
): Promise<OwnedTable | undefined> {
  const { specHash, schema, table } = request();
  const [relation] = await observeRelations(transaction, { schema, names: [table], oids: [] });
  return await record(transaction, {
    owner: owner(),
    specHash,
    relation: relation ?? { oid: 1 },
    members: MEMBERS,
    expressions,
  });
}

Deno.test("ten operators that start at once on an empty database make one registry", async () => {
  const databases = Array.from({ length: 10 }, () => open(server.url));
  const faults = await Promise.all(databases.map((each) => ensureRegistry(each, signal)));
  assertEquals(faults.flat(), []);
  await Promise.all(databases.map((each) => each.close()));
  assertEquals(await write(registryFaults), []);
  const [epoch] = await server.asSuperuser("SELECT count(*)::int AS count FROM tablewright.epoch");
  assertEquals(epoch, { count: 1 });
});

Deno.test("ensureRegistry() fills an empty schema that an administrator made for the role", async () => {
  await server.asSuperuser(`CREATE SCHEMA tablewright AUTHORIZATION ${ROLE}`);
  await ready();
  await ready();
});

Deno.test("default privileges of the role open nothing", async () => {
  for (const kind of ["TABLES", "SEQUENCES", "SCHEMAS"]) {
    await server.asSuperuser(
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${ROLE} GRANT ALL ON ${kind} TO tw_registry_other, PUBLIC`,
    );
  }
  try {
    await ready();
    const [row] = await server.asSuperuser(
      `SELECT has_schema_privilege('tw_registry_other', 'tablewright', 'USAGE') AS usage,
         has_table_privilege('tw_registry_other', 'tablewright.owned_table', 'INSERT') AS insert,
         has_sequence_privilege('tw_registry_other', 'tablewright.owned_table_id_seq', 'UPDATE') AS sequence`,
    );
    assertEquals(row, { usage: false, insert: false, sequence: false });
  } finally {
    for (const kind of ["TABLES", "SEQUENCES", "SCHEMAS"]) {
      await server.asSuperuser(
        `ALTER DEFAULT PRIVILEGES FOR ROLE ${ROLE} REVOKE ALL ON ${kind} FROM tw_registry_other, PUBLIC`,
      );
    }
  }
});

Deno.test("a registry that somebody else made is not trusted and not touched", async () => {
  await server.asSuperuser(
    "CREATE SCHEMA tablewright AUTHORIZATION tw_registry_other",
    `GRANT ALL ON SCHEMA tablewright TO ${ROLE}`,
  );
  const faults = await ensureRegistry(database, signal);
  assert(faults.includes("schema tablewright belongs to role tw_registry_other"), faults.join());
  const [row] = await server.asSuperuser(
    "SELECT count(*)::int AS count FROM pg_class WHERE relnamespace = 'tablewright'::regnamespace",
  );
  assertEquals(row, { count: 0 });
});

Deno.test("a registry that somebody changed is not trusted", async () => {
  const changes: Readonly<Record<string, string>> = {
    "CREATE TRIGGER evil BEFORE INSERT ON tablewright.owned_table EXECUTE FUNCTION public.evil()": "trigger evil",
    "GRANT INSERT ON tablewright.owned_table TO tw_registry_other": "tw_registry_other has INSERT",
    "GRANT CREATE ON SCHEMA tablewright TO PUBLIC": "PUBLIC has CREATE",
    "ALTER TABLE tablewright.owned_table OWNER TO tw_registry_other": "owner tw_registry_other",
    "ALTER TABLE tablewright.owned_table ADD COLUMN x text DEFAULT 'evil'": "owned_table is not as it was made",
    "ALTER TABLE tablewright.owned_table ALTER COLUMN spec_hash SET DEFAULT 'x'": "owned_table is not as it was made",
    "ALTER TABLE tablewright.epoch ADD CHECK (format > 0)": "epoch is not as it was made",
    "CREATE INDEX ON tablewright.history (generation) WHERE generation > 1": "history is not as it was made",
    "DROP TABLE tablewright.history": "history is missing",
    "ALTER TABLE tablewright.history ENABLE ROW LEVEL SECURITY": "history is not as it was made",
    "CREATE RULE evil AS ON INSERT TO tablewright.history DO ALSO NOTHING": "history is not as it was made",
    "CREATE VIEW tablewright.evil AS SELECT 1": "tablewright.evil is not as it was made",
    "CREATE FUNCTION tablewright.now() RETURNS text LANGUAGE sql AS $$ SELECT 'evil' $$": "function tablewright.now()",
  };
  await server.asSuperuser(
    "CREATE FUNCTION public.evil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$",
  );
  for (const [change, fault] of Object.entries(changes)) {
    await server.asSuperuser("DROP SCHEMA IF EXISTS tablewright CASCADE");
    await ready();
    await server.asSuperuser(change);
    const faults = await write(registryFaults);
    assert(faults.some((each) => each.includes(fault)), `${change}: ${faults.join("; ")}`);
    assertEquals(await ensureRegistry(database, signal), faults);
  }
});

Deno.test("claim() makes a row once, and a later generation takes it again", async () => {
  await ready();
  const first = await claimed();
  assertEquals(first, {
    id: first.id,
    schema: "public",
    table: "users",
    oid: undefined,
    owner: owner(),
    specHash: "hash",
    origin: "created",
    members: { column: [], constraint: [], index: [] },
    expressions: {},
    fingerprint: "0",
    epochChanged: false,
  });
  const second = await claimed({ owner: owner({ generation: 2 }), table: "renamed" });
  assertEquals([second.id, second.table, second.owner.generation], [first.id, "users", 2]);
});

Deno.test("claim() fences a lower generation of the same uid", async () => {
  await ready();
  await claimed({ owner: owner({ generation: 5 }) });
  const late = await write((transaction) => claim(transaction, request({ owner: owner({ generation: 4 }) })));
  assertEquals(late, { kind: "fenced", generation: 5 });
});

Deno.test("claim() names the owner of a name and leaves the transaction usable", async () => {
  await ready();
  await claimed();
  await write(async (transaction) => {
    const other = owner({ uid: uid(2), name: "other" });
    const taken = await claim(transaction, request({ owner: other }));
    assertEquals(taken.kind === "ownedByOther" && taken.owner, owner());
    assertEquals((await claim(transaction, request({ owner: other, table: "free" }))).kind, "claimed");
    assertEquals((await claim(transaction, request({ owner: other, table: "users" }))).kind, "ownedByOther");
  });
});

Deno.test("twenty owners that claim one name at once: one gets it, nobody fails", async () => {
  await ready();
  const databases = [database, open(server.url), open(server.url)];
  const kinds = await Promise.all(
    Array.from(
      { length: 20 },
      (_, n) =>
        write((transaction) => claim(transaction, request({ owner: owner({ uid: uid(n) }) })), databases[n % 3]).then((
          { kind },
        ) => kind),
    ),
  );
  assertEquals(kinds.filter((kind) => kind === "claimed").length, 1);
  assertEquals(kinds.filter((kind) => kind === "ownedByOther").length, 19);
  await Promise.all(databases.slice(1).map((each) => each.close()));
});

Deno.test("one owner that claims twenty times at once has one row", async () => {
  await ready();
  const rows = await Promise.all(Array.from({ length: 20 }, () => claimed()));
  assertEquals(new Set(rows.map((row) => row.id)).size, 1);
});

Deno.test("record() writes down what the table is, with members and both texts of its expressions", async () => {
  await ready();
  const recorded = await write(async (transaction) => {
    await claim(transaction, request());
    await transaction.query(CREATE_USERS);
    return await recordUsers(transaction, EXPRESSIONS);
  });
  if (recorded === undefined) throw new Error("not recorded");
  assertEquals(recorded.expressions, EXPRESSIONS);
  assertEquals(recorded.members, MEMBERS);
  const [table] = await server.asSuperuser("SELECT 'public.users'::regclass::oid AS oid");
  assertEquals(recorded.oid, table?.oid);
  const byOwner = await write((transaction) => findOwned(transaction, { owner: owner() }));
  assertEquals(byOwner, [recorded]);
  assertEquals(await write((transaction) => findOwned(transaction, { schema: "public", table: "users" })), byOwner);
  assertEquals(await write((transaction) => findOwned(transaction, { owner: owner({ uid: "" }) })), []);
});

Deno.test("record() without a row, or without a table, writes nothing", async () => {
  await ready();
  assertEquals(await write((transaction) => recordUsers(transaction)), undefined);
  await claimed();
  assertEquals(await write((transaction) => recordUsers(transaction)), undefined);
});

Deno.test("addMember() announces an index before it is built, with what was declared; twice is once", async () => {
  await ready();
  await run(CREATE_USERS);
  const { id } = await claimed();
  await write((transaction) => recordUsers(transaction, EXPRESSIONS));
  const member = { kind: "index", name: 'it\'s a "name"', declared: { "index/x/where": "n > 0" } } as const;
  for (let i = 0; i < 2; i++) assert(await write((transaction) => addMember(transaction, id, member)));
  const [row] = await write((transaction) => findOwned(transaction, { owner: owner() }));
  assertEquals(row?.members, { ...MEMBERS, index: [member.name] });
  assertEquals(row?.expressions, { ...EXPRESSIONS, "index/x/where": ["n > 0", null] });
  assert(!await write((transaction) => addMember(transaction, "999999", member)));
});

Deno.test("members stay as they were recorded when somebody adds a column by hand", async () => {
  await ready();
  await run(CREATE_USERS);
  await claimed();
  await write((transaction) => recordUsers(transaction));
  await run("ALTER TABLE public.users ADD COLUMN by_hand integer");
  assertEquals((await claimed({ owner: owner({ generation: 2 }) })).members, MEMBERS);
});

Deno.test("takeOver() gives a row to another owner, once", async () => {
  await ready();
  const row = await claimed();
  const heir = owner({ uid: uid(2) });
  assert(await write((transaction) => takeOver(transaction, row, heir)));
  assert(!await write((transaction) => takeOver(transaction, row, owner({ uid: uid(3) }))));
  assertEquals((await claimed({ owner: heir })).id, row.id);
  const second = await claimed({ owner: owner({ uid: uid(4) }), table: "second" });
  assert(!await write((transaction) => takeOver(transaction, second, heir)));
});

Deno.test("ensureRegistry() adds what an earlier version did not make, and only that", async () => {
  await ready();
  await server.asSuperuser("DROP TABLE tablewright.approval");
  const { signal } = new AbortController();
  assertEquals(await ensureRegistry(database, signal), []);
  const [made] = await server.asSuperuser("SELECT to_regclass('tablewright.approval') IS NOT NULL AS made");
  assertEquals(made, { made: true });
});

Deno.test("forget() deletes a row and its history", async () => {
  await ready();
  const row = await claimed();
  const statements = ['CREATE TABLE "a"', "it's {,} \\"];
  await write((transaction) => appendHistory(transaction, { id: row.id, generation: 1, planHash: "h", statements }));
  const [kept] = await server.asSuperuser("SELECT to_jsonb(statements) AS statements FROM tablewright.history");
  assertEquals(kept, { statements });
  await write((transaction) => forget(transaction, row.id));
  const [left] = await server.asSuperuser("SELECT count(*)::int AS count FROM tablewright.history");
  assertEquals(left, { count: 0 });
});

Deno.test("after a restore on another server no oid is trusted until it is recorded again", async () => {
  await ready();
  await run(CREATE_USERS);
  await claimed();
  await write((transaction) => recordUsers(transaction));
  await server.asSuperuser("UPDATE tablewright.epoch SET system_identifier = 1");
  const [found] = await write((transaction) => findOwned(transaction, { owner: owner() }));
  assertEquals([found?.oid, found?.epochChanged], [undefined, true]);
  const row = await claimed();
  assertEquals([row.oid, row.epochChanged], [undefined, true]);
  const again = await claimed();
  assertEquals([again.oid, again.epochChanged], [undefined, false]);
  const recorded = await write((transaction) => recordUsers(transaction));
  assert(recorded?.oid !== undefined);
  await server.asSuperuser("UPDATE tablewright.epoch SET server_version_num = 100000");
  await ready();
  assert(!await write(adoptEpoch));
  assertEquals((await claimed()).oid, undefined);
});

Deno.test("without pg_control_system() the database and the version tell the epoch", async () => {
  await server.asSuperuser("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
  try {
    await ready();
    assertEquals((await claimed()).epochChanged, false);
    const [epoch] = await server.asSuperuser("SELECT system_identifier::text AS id FROM tablewright.epoch");
    assertEquals(epoch, { id: "0" });
  } finally {
    await server.asSuperuser("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC");
  }
});

import { assertEquals } from "@std/assert";
import postgres from "postgres";
import { applyTable } from "../../postgres/apply/apply.ts";
import { dropOwnedTable } from "../../postgres/apply/drop.ts";
import { ensureRegistry, type Owner } from "../../postgres/registry/registry.ts";
import { type Database, openDatabase } from "../../postgres/session/client.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import { judgeSituation, wantedTable } from "../../handlers/database_table/verdict/judge.ts";
import { LiveCatalog } from "../../handlers/database_table/verdict/live_catalog.ts";
import { askEverything } from "../../handlers/database_table/verdict/live_verdict.ts";
import { statementsOfPlan } from "../../handlers/database_table/plan_status.ts";
import { refusePlan } from "../../handlers/database_table/verdict/policy.ts";
import { understandSpec } from "../../handlers/database_table/spec/understand.ts";
import { verifyPlan } from "../../handlers/database_table/verdict/verify.ts";
import { eventually } from "../harness/wait.ts";
import { isEverything } from "../versions/everything.ts";
import { TEXT_FIELDS, type TextField } from "./fields.ts";
import { hostileText, seeded } from "./hostile.ts";
import { statementFault, tryText } from "./printed.ts";
import { type LoggingServer, startLoggingServer } from "./server_log.ts";

const COUNT = 100_000;
/** Each costs a review, a plan and a drop: a few in every run, with `TABLEWRIGHT_TEST_EVERYTHING=1` as many as there may be. */
const MOST_THAT_RUN = isEverything() ? 2_000 : 300;
const LIMITS = { lockTimeoutMs: 3_000, statementTimeoutMs: 10_000, signal: new AbortController().signal };
const CLUSTER = "c0000000-0000-4000-8000-000000000001";
const ALLOWED: ReadonlySet<string> = new Set();

interface Accepted {
  readonly field: TextField;
  readonly text: string;
}

const accepted: Accepted[] = [];

Deno.test(`${COUNT} hostile texts in every text field are refused, or printed as one statement of a table each`, async () => {
  const random = seeded(20_260_101);
  const known = new Set<string>();
  const faults: string[] = [];
  for (let index = 0; index < COUNT; index++) {
    const field = TEXT_FIELDS[index % TEXT_FIELDS.length];
    if (field === undefined) continue;
    const text = hostileText(random);
    const outcome = await tryText(field, text);
    if (outcome.kind === "refused") continue;
    const key = `${field.path} ${text}`;
    if (known.has(key)) continue;
    known.add(key);
    accepted.push({ field, text });
    for (const statement of outcome.statements) {
      const fault = await statementFault(statement);
      if (fault !== undefined) faults.push(`${field.path} ${JSON.stringify(text)}: ${fault}: ${statement.sql}`);
    }
  }
  assertEquals(faults, []);
  assertEquals(new Set(accepted.map(({ field }) => field.path)).size > TEXT_FIELDS.length / 2, true);
  say(`${COUNT} texts in ${TEXT_FIELDS.length} fields: ${accepted.length} different ones accepted`);
});

function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** What ran, as the operator itself believes; what PostgreSQL's log holds beyond it would be somebody else's. */
interface Ran {
  /** Statements of plans that were begun; they may have failed. */
  readonly planned: Map<string, number>;
  readonly succeeded: Map<string, number>;
  tables: number;
}

function count(map: Map<string, number>, statements: readonly string[]): void {
  for (const sql of statements) map.set(sql, (map.get(sql) ?? 0) + 1);
}

/** One spec through the webhook's questions and the loop's work, then dropped again, also if it was refused. */
async function live(database: Database, spec: unknown, { ran, number, keep = false }: {
  readonly ran: Ran;
  readonly number: number;
  readonly keep?: boolean;
}): Promise<void> {
  const uid = `a0000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  const owner = { clusterId: CLUSTER, namespace: "injection", name: `t${number}`, uid, generation: keep ? 1 : 2 };
  await make(database, spec, { ran, owner });
  if (keep) return;
  const dropped = await dropOwnedTable(database, { owner, isGoing: () => Promise.resolve(true) }, LIMITS);
  if (dropped.kind === "dropped") {
    count(ran.planned, [dropped.statement.sql]);
    count(ran.succeeded, [dropped.statement.sql]);
  }
}

async function make(
  database: Database,
  spec: unknown,
  { ran, owner }: { readonly ran: Ran; readonly owner: Owner },
): Promise<void> {
  const { errors, desired: understood } = await understandSpec(spec);
  if (errors.length > 0 || understood?.table === undefined) return;
  const { namespace, name, uid, clusterId } = owner;
  const catalog = new LiveCatalog({ database, clusterId, allowedFunctions: ALLOWED });
  const question = { namespace, name, uid, takeOver: undefined };
  const look = await catalog.look({ ...question, desired: { ...understood, table: understood.table } }, LIMITS.signal);
  const { desired, situation } = look;
  const judged = await judgeSituation(desired, situation);
  const answer = await askEverything(catalog, { desired, previous: undefined, situation, judged }, LIMITS.signal);
  const wanted = wantedTable(desired);
  if (wanted === undefined || look.faults.length > 0 || answer.faults.length > 0) return;
  try {
    const outcome = await applyTable<unknown>(database, {
      ...wanted,
      owner,
      specHash: "",
      wasMade: false,
      isLiving: () => Promise.resolve(true),
      verify: async (transaction, seen) => {
        const verified = await verifyPlan(transaction, desired, { ...seen, allowed: ALLOWED });
        if (verified.faults.length === 0) count(ran.planned, statementsOfPlan(seen.plan).map(({ sql }) => sql));
        return verified;
      },
      judge: (plan, seen) => refusePlan({ desired, plan, situation: seen }),
    }, LIMITS);
    if (outcome.kind === "done") {
      ran.tables++;
      count(ran.succeeded, outcome.statements.map(({ sql }) => sql));
    }
  } catch (error) {
    if (!(error instanceof PostgresError)) throw new Error(`${JSON.stringify(spec)}: ${error}`);
  }
}

/** Text in a statement that follows from the spec, and that the baseline has with other words in it. */
function shapeOf(sql: string): string {
  return sql.replaceAll(/E?'(?:[^'\\]|''|\\.)*'/g, "''").replaceAll(/"(?:[^"]|"")*"/g, '""');
}

/** The operator's own statements, which do not depend on a spec but for names and casts. */
const OWN = [
  /^LOCK TABLE ""\.""( IN [A-Z ]+ MODE)?$/,
  /^SELECT set_config\('', '', true\)$/,
  // The marker of the log.
  /^SELECT ''$/,
];

async function openAdmin(server: LoggingServer) {
  const sql = postgres(server.superuserUrl, { max: 1, fetch_types: false, onnotice() {} }) as unknown as {
    unsafe(text: string): Promise<readonly Record<string, unknown>[]>;
    end(options: { timeout: number }): Promise<void>;
  };
  await sql.unsafe("CREATE SCHEMA vault");
  await sql.unsafe("CREATE TABLE vault.canary AS SELECT 'the secret' AS secret");
  await sql.unsafe("CREATE FUNCTION vault.leak() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1'");
  await sql.unsafe("GRANT USAGE ON SCHEMA vault TO PUBLIC");
  await sql.unsafe("CREATE TABLE public.canary AS SELECT 1 AS alive");
  await sql.unsafe(`ALTER TABLE public.canary OWNER TO ${new URL(server.url).username}`);
  return sql;
}

const WORLD = `SELECT jsonb_build_object(
  'relations', (SELECT jsonb_agg(jsonb_build_array(relnamespace::regnamespace, relname, relkind, relowner::regrole, relacl::text) ORDER BY oid)
    FROM pg_class WHERE relnamespace <> 'pg_toast'::regnamespace AND relnamespace::regnamespace::text !~ '^pg_temp'),
  'functions', (SELECT count(*) FROM pg_proc), 'roles', (SELECT jsonb_agg(rolname ORDER BY oid) FROM pg_roles),
  'schemas', (SELECT jsonb_agg(nspname ORDER BY oid) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'),
  'settings', (SELECT jsonb_agg(setconfig) FROM pg_db_role_setting),
  'canary', (SELECT jsonb_agg(c) FROM public.canary c), 'vault', (SELECT jsonb_agg(c) FROM vault.canary c))::text AS world`;

Deno.test("what is accepted runs on PostgreSQL, whose log holds the planned statements and nothing else", async () => {
  const server = await startLoggingServer();
  const database = openDatabase({ url: server.url, applicationName: "tablewright-test", maxConnections: 1 });
  const admin = await openAdmin(server);
  try {
    assertEquals(await ensureRegistry(database, LIMITS.signal), []);
    const none: Ran = { planned: new Map(), succeeded: new Map(), tables: 0 };
    // Every field with a good text: what the log holds now beside the plans is the operator's own.
    for (const [number, field] of TEXT_FIELDS.entries()) {
      if (field.before !== undefined) await live(database, field.before, { ran: none, number: number + 1, keep: true });
      for (
        const text of [
          "ID",
          "text",
          "C",
          "NOTE",
          "ID > 0",
          "lower(NOTE)",
          "nowhere(NOTE)",
          "citext",
          "text[]",
          "vault.leak() > 0",
          "NOTE::citext = NOTE",
        ]
      ) {
        await live(database, field.fill(text), { ran: none, number: number + 1 });
      }
    }
    const baseline = await wholeLog(server, database);
    const own = new Set(baseline.map(shapeOf));
    const [world] = await admin.unsafe(WORLD);

    const ran: Ran = { planned: new Map(), succeeded: new Map(), tables: 0 };
    const step = Math.max(1, accepted.length / MOST_THAT_RUN);
    const chosen = accepted.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
    for (const [index, { field, text }] of chosen.entries()) {
      const number = 1_000 + index;
      if (field.before !== undefined) await live(database, field.before, { ran, number, keep: true });
      await live(database, field.fill(text), { ran, number });
    }
    const logged = new Map<string, number>();
    count(logged, (await wholeLog(server, database)).slice(baseline.length));
    const strangers = [...logged.keys()].filter((sql) =>
      !ran.planned.has(sql) && !own.has(shapeOf(sql)) && !OWN.some((each) => each.test(shapeOf(sql))) && !isCast(sql)
    );
    assertEquals(strangers.map((sql) => sql.slice(0, 300)), []);
    const missing = [...ran.succeeded].filter(([sql, times]) => (logged.get(sql) ?? 0) < times);
    assertEquals(missing, []);
    assertEquals(await admin.unsafe(WORLD).then(([row]) => row), world);
    assertEquals(chosen.length > 100 && ran.tables > 100, true, `${chosen.length} ran, ${ran.tables} made a table`);
    const total = [...logged.values()].reduce((sum, times) => sum + times, 0);
    say(`${chosen.length} ran, ${ran.tables} tables made, ${total} statements in the log, none unexpected`);
  } finally {
    await database.close();
    await admin.end({ timeout: 1 });
    await server.stop();
  }
});

/** The log is written by another process: a last statement of ours stands behind all others. */
async function wholeLog(server: LoggingServer, database: Database): Promise<readonly string[]> {
  const marker = `SELECT '${crypto.randomUUID()}'`;
  await database.transaction({ ...LIMITS, readOnly: true }, (transaction) => transaction.query(marker));
  return await eventually("the log is written", async () => {
    const statements = await server.statements();
    return statements.includes(marker) && statements;
  });
}

/** A literal is asked about by Parse and Describe, which the log does not hold; were it executed, it could do no harm. */
function isCast(sql: string): boolean {
  return /^SELECT CAST\(/.test(shapeOf(sql)) && !sql.includes(";");
}

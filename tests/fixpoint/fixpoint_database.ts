import { assertEquals } from "@std/assert";
import { wantedTable } from "../../handlers/database_table/verdict/judge.ts";
import { understandSpec, type UnderstoodSpec } from "../../handlers/database_table/spec/understand.ts";
import { type ApplyLimits, type ApplyOutcome, applyTable } from "../../postgres/apply/apply.ts";
import { type PlannedTable, planSituation, type WantedTable } from "../../postgres/plan/planning.ts";
import { ensureRegistry, type Owner } from "../../postgres/registry/registry.ts";
import { type Database, openDatabase, type Transaction } from "../../postgres/session/client.ts";
import { observeSituation, type Situation } from "../../postgres/situation/situation.ts";
import type { Step } from "../../postgres/plan/step.ts";
import { dumpSchemas } from "../harness/dump.ts";
import { startTestDatabase, type TestDatabase } from "../harness/postgres_database.ts";
import { UPGRADE_VARIABLE } from "../versions/everything.ts";
import type { Spec } from "./case.ts";
import { checkForecast } from "./forecast.ts";
import { chosenNames, comparable, namesOf, type Snapshot, takeSnapshot } from "./snapshot.ts";

/** Of every transaction of this suite, in milliseconds. */
export const LIMITS = { lockTimeoutMs: 3_000, statementTimeoutMs: 20_000 };

/** A table under test: who owns it, and what it should be. */
export interface Subject {
  readonly owner: Owner;
  readonly wanted: WantedTable;
}

/** What stands where a subject is wanted. */
export interface Seen {
  readonly situation: Situation;
  readonly plan: PlannedTable;
}

/** What an apply did. */
export interface Applied {
  /** Its first plan. */
  readonly plan: PlannedTable | undefined;
  readonly outcome: Extract<ApplyOutcome<never>, { readonly kind: "done" }>;
  /** Forecasts of its steps that were wrong, and plans that were not the rest of the one before. */
  readonly mismatches: readonly string[];
}

/** A table without what may differ between two ways to it. */
export interface State {
  readonly table: unknown;
  readonly snapshot: Snapshot;
  /** Of constraints and indexes. */
  readonly names: readonly string[];
  /** What another plan would do, and what a plan left behind. */
  readonly left: readonly unknown[];
}

/** A real database in which specs become tables, through one single connection. */
export class FixpointDatabase {
  readonly database: Database;
  readonly server: TestDatabase;
  readonly #superuser: Database;
  readonly #siblings: FixpointDatabase[] = [];
  /** Schema of the types and tables that specs name as `app`; those that lock the same table at once would wait for each other. */
  readonly neighbours: string;
  static #count = 0;

  private constructor(server: TestDatabase, neighbours = `app${++FixpointDatabase.#count}`) {
    this.server = server;
    this.neighbours = neighbours;
    const open = (url: string) => openDatabase({ url, applicationName: "tablewright-test", maxConnections: 1 });
    this.database = open(server.url);
    this.#superuser = open(server.superuserUrl);
  }

  static async start(name: string): Promise<FixpointDatabase> {
    const started = new FixpointDatabase(await startTestDatabase(name));
    assertEquals(await ensureRegistry(started.database, new AbortController().signal), []);
    await started.#makeNeighbours();
    return started;
  }

  /**
   * What stands in some schemas of this database, and the registry, in another one: on the server of
   * {@linkcode UPGRADE_VARIABLE}, if there is one.
   */
  async restored(name: string, schemas: readonly string[]): Promise<FixpointDatabase> {
    const server = await startTestDatabase(name, Deno.env.get(UPGRADE_VARIABLE));
    const neighbours = [this, ...this.#siblings].map((each) => each.neighbours);
    await (await dumpSchemas(this.server, [...neighbours, ...schemas]))(server);
    const restored = new FixpointDatabase(server, this.neighbours);
    assertEquals(await ensureRegistry(restored.database, new AbortController().signal), []);
    return restored;
  }

  /** Another connection to the same database, with neighbours of its own, for whoever works there at the same time. */
  async sibling(): Promise<FixpointDatabase> {
    const sibling = new FixpointDatabase(this.server);
    this.#siblings.push(sibling);
    await sibling.#makeNeighbours();
    return sibling;
  }

  async stop(): Promise<void> {
    for (const each of [...this.#siblings, this]) {
      await each.database.close();
      await each.#superuser.close();
    }
    await this.server.stop();
  }

  async #makeNeighbours(): Promise<void> {
    const app = this.neighbours;
    await this.server.asSuperuser(`CREATE SCHEMA ${app} AUTHORIZATION ${this.server.role}`);
    await this.run(
      `CREATE TYPE ${app}.mood AS ENUM ('good', 'bad')`,
      `CREATE DOMAIN ${app}.word AS text`,
      `CREATE TABLE ${app}.customers (id integer PRIMARY KEY, code text UNIQUE, big bigint UNIQUE, a integer, b integer,
         UNIQUE (a, b))`,
      `INSERT INTO ${app}.customers SELECT n, 'c' || n, n, n, n FROM generate_series(1, 100) n`,
    );
  }

  /** Major version of the server. */
  async version(): Promise<number> {
    const [row] = await this.query<{ readonly version: number }>(
      "SELECT current_setting('server_version_num')::int4 / 10000 AS version",
    );
    return row?.version ?? 0;
  }

  /** A new schema of the operator's. */
  async schema(prefix: string): Promise<string> {
    const name = `${prefix}${++FixpointDatabase.#count}x`;
    await this.server.asSuperuser(`CREATE SCHEMA ${name} AUTHORIZATION ${this.server.role}`);
    return name;
  }

  async write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const { signal } = new AbortController();
    return await this.database.transaction({ ...LIMITS, readOnly: false, signal }, work);
  }

  async run(...statements: readonly string[]): Promise<void> {
    await this.write(async (transaction) => {
      for (const statement of statements) await transaction.query(statement);
    });
  }

  async query<Row>(text: string): Promise<readonly Row[]> {
    return await this.write((transaction) => transaction.query<Row>(text));
  }

  async observe({ owner, wanted }: Subject): Promise<Seen> {
    const { signal } = new AbortController();
    const situation = await this.database.transaction(
      { ...LIMITS, readOnly: true, signal },
      (transaction) => observeSituation(transaction, { owner, desired: wanted.desired }),
    );
    return { situation, plan: await planSituation(wanted, situation) };
  }

  /** Applies until nothing is left to do; checks the forecast of every step on the way. */
  async apply(
    subject: Subject,
    database: Database = this.database,
    limits: Partial<ApplyLimits> = {},
  ): Promise<Applied> {
    const mismatches: string[] = [];
    let first: PlannedTable | undefined;
    let rest: readonly Step[] = [];
    const { owner, wanted } = subject;
    const outcome = await applyTable<never>(database, {
      ...wanted,
      owner,
      specHash: JSON.stringify(wanted.desired),
      wasMade: false,
      isLiving: () => Promise.resolve(true),
      verify: async (_transaction, { plan, situation }) => {
        mismatches.push(...await this.#forecast(plan.steps[0], situation));
        return { faults: [], searchPath: [] };
      },
      judge: (plan) => {
        if (first !== undefined) mismatches.push(...compareRest(rest, plan.steps));
        first ??= plan;
        rest = plan.steps;
        return [];
      },
    }, { ...LIMITS, signal: new AbortController().signal, ...limits });
    if (outcome.kind !== "done") throw new Error(`the apply ended otherwise: ${JSON.stringify(outcome)}`);
    return { plan: first, outcome, mismatches };
  }

  async #forecast(step: Step | undefined, situation: Situation): Promise<readonly string[]> {
    if (step === undefined || step.kind === "Concurrent" || situation.kind !== "owned") return [];
    return await checkForecast(this.#superuser, step, situation.relation.oid);
  }

  /** The table as the planner sees it and as the catalog has it, both without what may differ; and what is still planned. */
  async stateOf(subject: Subject): Promise<State> {
    const { situation, plan } = await this.observe(subject);
    if (situation.kind !== "owned") throw new Error(`no table: ${JSON.stringify(situation)}`);
    const names = chosenNames(subject.wanted.desired);
    const { oid, schema } = situation.relation;
    const snapshot = await this.write((transaction) => takeSnapshot(transaction, { oid, schema, names }));
    const all = await this.write((transaction) => namesOf(transaction, oid));
    const left = [...plan.changes, ...plan.steps, ...situation.basis.helpers];
    return { table: comparable(situation.basis.table, names), snapshot, names: all, left };
  }

  /** What a session must not keep: advisory locks, settings of ours, statements that somebody else prepared, and open objects. */
  async sessionState(): Promise<unknown> {
    return await this.query(
      `SELECT (SELECT jsonb_object_agg(name, setting) FROM pg_settings WHERE source = 'session') AS settings,
         (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks,
         (SELECT count(*) FROM pg_prepared_statements WHERE from_sql) AS prepared,
         (SELECT count(*) FROM pg_cursors) AS cursors,
         (SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND pg_my_temp_schema() = relnamespace) AS temporary`,
    );
  }
}

/**
 * Whoever approved a plan approved its steps: behind the first, nothing but the others may come. A plan is asked about twice,
 * before its transaction and in it.
 */
function compareRest(before: readonly Step[], found: readonly Step[]): readonly string[] {
  const text = (steps: readonly Step[]) =>
    steps.flatMap(({ statements }) => statements.map(({ sql }) => sql)).join("; ");
  const expected = [text(before), text(before.slice(1))];
  return expected.includes(text(found))
    ? []
    : [`the rest of the plan was "${expected[1]}", now it is "${text(found)}"`];
}

/** A spec as the operator understands it, with the neighbours of this connection. */
export async function understood(
  at: Pick<FixpointDatabase, "neighbours">,
  spec: Spec,
  schema = "public",
): Promise<UnderstoodSpec> {
  const here = JSON.parse(JSON.stringify(spec).replaceAll(/\bapp\b/g, at.neighbours)) as Spec;
  return await understandSpec({ schema, ...here });
}

/** The same, wanted by an object of the given number. */
export async function subjectOf(
  at: Pick<FixpointDatabase, "neighbours">,
  spec: Spec,
  place: { readonly schema: string; readonly number: number; readonly generation: number },
): Promise<Subject> {
  const { schema, number, generation } = place;
  const { errors, desired } = await understood(at, spec, schema);
  const wanted = desired === undefined ? undefined : wantedTable(desired);
  if (wanted === undefined || errors.length > 0) throw new Error(`the spec is wrong: ${JSON.stringify(errors)}`);
  const uid = `a0000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  const clusterId = "c0000000-0000-4000-8000-000000000001";
  return { wanted, owner: { clusterId, namespace: "fixpoint", name: `t${number}`, uid, generation } };
}

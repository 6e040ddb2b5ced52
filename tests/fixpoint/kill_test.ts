import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { openDatabase } from "../../postgres/session/client.ts";
import { mayRest } from "../harness/held_lock.ts";
import { eventually } from "../harness/wait.ts";
import { type Spec, table } from "./case.ts";
import { FixpointDatabase, type Subject, subjectOf } from "./fixpoint_database.ts";
import type { Errand } from "./killed_operator.ts";
import { assertState, madeAtOnce, makeOld, nextNumber, rowsOf } from "./run_case.ts";

const ROWS = ["INSERT INTO {t} (id, a, b) SELECT n, n, n FROM generate_series(1, 100) n"];
const AB = { A: "integer", B: "integer" };
const INDEXED = table(AB, { indexes: [{ name: "i", columns: ["A"] }] });
const UNIQUE = table(AB, { uniqueConstraints: [{ columns: ["A"] }] });
const CHECKED = table(AB, { checks: [{ name: "c", expression: "A > 0" }] });
const REFERRING = table({
  A: { type: "integer", references: { schema: "app", table: "customers", column: "ID" } },
  B: "integer",
});
const NOT_NULL = table({ A: { type: "integer", notNull: true }, B: "integer" });

/** Of the leader's lease: then another replica works. */
const LEASE_MS = 15_000;

let at: FixpointDatabase;

Deno.test.beforeAll(async () => {
  at = await FixpointDatabase.start("kill");
});

Deno.test.afterAll(() => at?.stop());

/** A filled table, and the operator's process that makes something else of it. */
class Scene {
  readonly subject: Subject;
  readonly #spec: Spec;
  readonly #process: Deno.ChildProcess;

  private constructor(subject: Subject, spec: Spec, process: Deno.ChildProcess) {
    this.subject = subject;
    this.#spec = spec;
    this.#process = process;
  }

  /** @param before Runs on the filled table, before the operator starts. */
  static async open(spec: Spec, before: (name: string) => Promise<void>): Promise<Scene> {
    const schema = await at.schema("k");
    const number = nextNumber();
    const place = (text: string) => text.replaceAll("{t}", `${schema}.t`);
    await makeOld(at, { name: "", old: table(AB), rows: ROWS, next: spec, changes: "" }, { schema, number, place });
    await before(`${schema}.t`);
    const where = { schema, number, generation: 2 };
    const errand: Errand = { url: at.server.url, neighbours: at.neighbours, spec, place: where };
    const script = fromFileUrl(new URL("killed_operator.ts", import.meta.url));
    const args = ["run", "--allow-all", "--quiet", "--no-check", script, JSON.stringify(errand)];
    const process = new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn();
    return new Scene(await subjectOf(at, spec, where), spec, process);
  }

  get table(): string {
    return `${this.subject.wanted.desired.schema}.t`;
  }

  /** Waits until a statement of the operator waits for a lock; answers the process number of its session. */
  async waiting(statement: string): Promise<number> {
    return await eventually(`the operator waits in ${statement}`, async () => {
      const [row] = await at.server.asSuperuser(
        `SELECT pid FROM pg_stat_activity WHERE application_name = 'tablewright-killed' AND state = 'active'
           AND wait_event_type = 'Lock' AND query LIKE '${statement}%' AND query LIKE '%${this.subject.wanted.desired.schema}%'`,
      );
      return row === undefined ? undefined : Number(row["pid"]);
    });
  }

  /** Kills the operator's process where it stands. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    assertEquals((await this.#process.status).signal, "SIGKILL");
  }

  /** Stops the operator's process as a debugger or a frozen node does; `resume()` lets it go on to its end. */
  stop(): void {
    this.#process.kill("SIGSTOP");
  }

  /** @returns Whether the operator believes that it did its work. */
  async resume(): Promise<boolean> {
    this.#process.kill("SIGCONT");
    return (await this.#process.status).success;
  }

  /** Nothing of a killed operator runs any more. */
  async gone(): Promise<void> {
    await eventually("the sessions of the killed operator end", async () => {
      const rows = await at.server.asSuperuser(
        "SELECT FROM pg_stat_activity WHERE application_name = 'tablewright-killed'",
      );
      return rows.length === 0 ? true : undefined;
    });
  }

  /** Applies again: the table must be what it would be had nobody died. */
  async goOn(): Promise<void> {
    const should = await madeAtOnce(at, this.#spec);
    await at.apply(this.subject);
    await assertState(at, this.subject, { should, printsOther: false });
    assertEquals((await rowsOf(at, this.subject)).length, 100);
  }
}

/** Keeps a statement's locks in a transaction of somebody else, until the returned function is called. */
async function hold(statement: string): Promise<() => Promise<void>> {
  const database = openDatabase({ url: at.server.superuserUrl, applicationName: "somebody", maxConnections: 1 });
  const [held, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const limits = { readOnly: false, lockTimeoutMs: 60_000, statementTimeoutMs: 60_000 };
  const ended = database.transaction({ ...limits, signal: new AbortController().signal }, async (transaction) => {
    await mayRest(transaction);
    await transaction.query(statement);
    held.resolve();
    await released.promise;
  });
  await Promise.race([held.promise, ended]);
  return async () => {
    released.resolve();
    await ended;
    await database.close();
  };
}

/** Index of the table that cannot be used. */
async function invalidIndexes(table: string): Promise<number> {
  const rows = await at.query(
    `SELECT FROM pg_index WHERE indrelid = '${table}'::regclass AND NOT indisvalid`,
  );
  return rows.length;
}

for (
  const [name, spec] of [
    ["an operator that is killed with its session while it builds an index goes on", INDEXED],
    ["an operator that is killed with its session while it builds the index of a unique constraint goes on", UNIQUE],
  ] as const
) {
  Deno.test(name, async () => {
    let release = () => Promise.resolve();
    const scene = await Scene.open(spec, async (name) => {
      // CONCURRENTLY waits for whoever wrote before it began.
      release = await hold(`UPDATE ${name} SET b = b WHERE id = 1`);
    });
    const pid = await scene.waiting("CREATE");
    await scene.kill();
    await at.server.asSuperuser(`SELECT pg_terminate_backend(${pid})`);
    await scene.gone();
    assertEquals(await invalidIndexes(scene.table), 1);
    await release();
    await scene.goOn();
    assertEquals(await invalidIndexes(scene.table), 0);
  });
}

Deno.test("a build that outlives its operator is not disturbed, and its index is taken", async () => {
  let release = () => Promise.resolve();
  const scene = await Scene.open(INDEXED, async (name) => {
    release = await hold(`UPDATE ${name} SET b = b WHERE id = 1`);
  });
  await scene.waiting("CREATE");
  await scene.kill();
  const [index] = await at.query<{ readonly oid: number }>(
    `SELECT '${scene.table.replace(".t", ".i")}'::regclass::oid AS oid`,
  );
  const refused = await at.apply(scene.subject).then(() => undefined, (error) => String(error));
  assert(refused?.includes('"busy"'), refused);
  await release();
  await scene.gone();
  await scene.goOn();
  const [left] = await at.query<{ readonly oid: number }>(
    `SELECT '${scene.table.replace(".t", ".i")}'::regclass::oid AS oid`,
  );
  assertEquals(left, index);
});

for (
  const [name, spec] of [
    ["an operator that is killed between NOT VALID and VALIDATE of a CHECK goes on", CHECKED],
    ["an operator that is killed between NOT VALID and VALIDATE of a FOREIGN KEY goes on", REFERRING],
    ["an operator that is killed between NOT VALID and VALIDATE of a NOT NULL goes on", NOT_NULL],
  ] as const
) {
  Deno.test(name, async () => {
    let release = () => Promise.resolve();
    const scene = await Scene.open(spec, async (name) => {
      release = await hold(`UPDATE ${name} SET b = b WHERE id = 1`);
    });
    // The operator waits for its first step behind the reader; somebody else waits behind the operator, and so before VALIDATE.
    await scene.waiting("LOCK TABLE");
    const next = hold(`LOCK TABLE ${scene.table} IN SHARE UPDATE EXCLUSIVE MODE`);
    await eventually("somebody waits behind the operator", async () => {
      const rows = await at.server.asSuperuser(
        "SELECT FROM pg_stat_activity WHERE application_name = 'somebody' AND wait_event_type = 'Lock'",
      );
      return rows.length === 1 ? true : undefined;
    });
    await release();
    const releaseNext = await next;
    await scene.waiting("LOCK TABLE");
    const [found] = await at.query<{ readonly count: number }>(
      `SELECT count(*)::int4 AS count FROM pg_constraint WHERE conrelid = '${scene.table}'::regclass AND NOT convalidated`,
    );
    assertEquals(found?.count, 1);
    await scene.kill();
    await releaseNext();
    await scene.gone();
    await scene.goOn();
  });
}

Deno.test("an operator that is stopped inside a transaction gives the table back before a lease is over, and another one goes on", async () => {
  let release = () => Promise.resolve();
  const scene = await Scene.open(table({ A: "bigint", C: "text" }), async (name) => {
    release = await hold(`UPDATE ${name} SET b = b WHERE id = 1`);
  });
  await scene.waiting("LOCK TABLE");
  scene.stop();
  const began = Date.now();
  await release();
  // Waits behind the lock that the stopped operator got now.
  await (await hold(`UPDATE ${scene.table} SET b = b WHERE id = 2`))();
  const waited = Date.now() - began;
  assert(waited > 5_000 && waited < LEASE_MS, `somebody waited for ${waited} ms`);
  await scene.gone();
  await scene.goOn();
  assertEquals(await scene.resume(), false);
  assertEquals((await at.observe(scene.subject)).plan.changes, []);
});

Deno.test("an operator that is killed inside a transaction has changed nothing, and another one goes on", async () => {
  let release = () => Promise.resolve();
  const scene = await Scene.open(table({ A: "bigint", C: "text" }), async (name) => {
    release = await hold(`UPDATE ${name} SET b = b WHERE id = 1`);
  });
  const { plan } = await at.observe(scene.subject);
  await scene.waiting("LOCK TABLE");
  await scene.kill();
  await release();
  await scene.gone();
  assertEquals((await at.observe(scene.subject)).plan, plan);
  await scene.goOn();
});

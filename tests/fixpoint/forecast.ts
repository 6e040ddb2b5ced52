import type { Database, Transaction } from "../../postgres/session/client.ts";
import type { LockMode, Statement } from "../../postgres/statement/statement.ts";
import type { Step } from "../../postgres/plan/step.ts";

const MODES: readonly LockMode[] = [
  "ACCESS SHARE",
  "ROW SHARE",
  "SHARE UPDATE EXCLUSIVE",
  "SHARE",
  "SHARE ROW EXCLUSIVE",
  "ACCESS EXCLUSIVE",
];

/** Carries what was found out of a transaction that must not commit. */
class Tried extends Error {
  readonly mismatches: readonly string[];

  constructor(mismatches: readonly string[]) {
    super("tried");
    this.mismatches = mismatches;
  }
}

/**
 * Runs the statements of a step in a transaction that is rolled back, and compares after each of them what it forecasts
 * with what PostgreSQL did: locks in `pg_locks`, a rewrite and rebuilt indexes by their file nodes.
 *
 * @param database As a superuser, so that nothing but the statements decides.
 * @param oid Of the table; `undefined`: it is made by the step.
 * @returns One line for each forecast that was wrong.
 */
export async function checkForecast(
  database: Database,
  step: Step,
  oid: number | undefined,
): Promise<readonly string[]> {
  const { signal } = new AbortController();
  const limits = { readOnly: false, lockTimeoutMs: 2_000, statementTimeoutMs: 10_000, signal };
  try {
    await database.transaction(limits, async (transaction) => {
      throw new Tried(await tryStatements(transaction, step.statements, oid));
    });
  } catch (error) {
    if (error instanceof Tried) return error.mismatches;
    throw error;
  }
  return [];
}

async function tryStatements(
  transaction: Transaction,
  statements: readonly Statement[],
  oid: number | undefined,
): Promise<readonly string[]> {
  const mismatches: string[] = [];
  const forecast = new Map<string, LockMode>();
  const [named] = await transaction.query<{ readonly name: string }>(
    "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid",
    [String(oid ?? 0)],
  );
  for (const statement of statements) {
    const before = await filesOf(transaction, oid);
    await transaction.query(statement.sql);
    if (oid === undefined) continue;
    const after = await filesOf(transaction, oid);
    for (const [index, { table, mode }] of statement.locks.entries()) {
      // A renamed table is still the same one.
      const name = index === 0 ? named?.name ?? table : table;
      const known = forecast.get(name);
      if (known === undefined || MODES.indexOf(mode) > MODES.indexOf(known)) forecast.set(name, mode);
    }
    // It locks the index alone; the operator locks the table before it, so that nobody changes it meanwhile.
    if (statement.sql.startsWith("ALTER INDEX")) continue;
    mismatches.push(
      ...compareLocks(forecast, await locksOf(transaction, { oid, name: named?.name ?? "" }), statement.sql),
    );
    mismatches.push(...compareFiles(before, after, statement));
  }
  return mismatches;
}

function compareLocks(
  forecast: ReadonlyMap<string, LockMode>,
  held: ReadonlyMap<string, LockMode>,
  sql: string,
): readonly string[] {
  return [...new Set([...forecast.keys(), ...held.keys()])]
    .filter((table) => forecast.get(table) !== held.get(table))
    .map((table) => `${sql}: ${table}: forecast ${forecast.get(table)}, held ${held.get(table)}`);
}

interface Files {
  readonly table: string;
  readonly indexes: Readonly<Record<string, string>>;
}

async function filesOf(transaction: Transaction, oid: number | undefined): Promise<Files> {
  const [row] = await transaction.query<Files>(
    `SELECT pg_relation_filenode(c.oid)::text AS table, (SELECT coalesce(jsonb_object_agg(i.indexrelid::text, pg_relation_filenode(i.indexrelid)::text), '{}')
       FROM pg_index i WHERE i.indrelid = c.oid) AS indexes FROM pg_class c WHERE c.oid = $1::oid`,
    [String(oid ?? 0)],
  );
  return row ?? { table: "", indexes: {} };
}

function compareFiles(before: Files, after: Files, statement: Statement): readonly string[] {
  const mismatches: string[] = [];
  const rewrites = before.table !== after.table;
  if (rewrites !== statement.rewrites) {
    mismatches.push(`${statement.sql}: rewrites: forecast ${statement.rewrites}, did ${rewrites}`);
  }
  const old = Object.entries(before.indexes);
  const files = new Set(Object.values(after.indexes));
  // ALTER TYPE makes an index anew and may give it the old file again.
  const isRebuilt = old.some(([oid, file]) => oid in after.indexes && !files.has(file)) ||
    (old.length > 0 && old.length === Object.keys(after.indexes).length && old.some(([, file]) => !files.has(file)));
  if (!rewrites && isRebuilt !== statement.rebuildsIndexes && !(statement.rebuildsIndexes && !isRebuilt)) {
    mismatches.push(`${statement.sql}: rebuilds indexes: forecast ${statement.rebuildsIndexes}, did ${isRebuilt}`);
  }
  return mismatches;
}

/** The strongest lock by table; our own has the name it had first. */
async function locksOf(
  transaction: Transaction,
  own: { readonly oid: number; readonly name: string },
): Promise<ReadonlyMap<string, LockMode>> {
  const rows = await transaction.query<{ readonly oid: number; readonly name: string; readonly mode: string }>(
    `SELECT c.oid, n.nspname || '.' || c.relname AS name, l.mode FROM pg_locks l
     JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'pg_toast')`,
  );
  const held = new Map<string, LockMode>();
  for (const row of rows) {
    const name = row.oid === own.oid ? own.name : row.name;
    const mode = wordsOf(row.mode);
    const known = held.get(name);
    if (known === undefined || MODES.indexOf(mode) > MODES.indexOf(known)) held.set(name, mode);
  }
  return held;
}

/** `ShareRowExclusiveLock` -> `SHARE ROW EXCLUSIVE`. */
function wordsOf(mode: string): LockMode {
  return mode.replace(/Lock$/, "").replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toUpperCase() as LockMode;
}

import type { DataAnswer, UnknownReason } from "./answer.ts";
import { MAXIMUM_COUNT } from "./answer.ts";
import { type Obstacle, obstacleFor, preparedQuestion, timeObstacle, whyOf } from "./obstacle.ts";
import { readFacts, type TableFacts } from "./facts.ts";
import type { ProbeMemory } from "./memory.ts";
import { type ProbeContext, type ProbeRow, probeSql } from "./probe_sql.ts";
import type { DataQuestion } from "./question.ts";
import type { Database, Transaction } from "../session/client.ts";
import { PostgresError } from "../session/errors.ts";

/** How long asking may take, and what is remembered. */
export interface AskOptions {
  /** Milliseconds for all questions together, waiting included. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** Of this database; shared by all who ask, so that a table has one probe at a time. */
  readonly memory: ProbeMemory;
  /** Tables over this many bytes are sampled first; default 256 MB. */
  readonly largeTableBytes?: number;
}

const LOCK_TIMEOUT_MS = 100;
const PROBE_TIMEOUT_MS = 1_000;
/** With less than this nothing can be asked. */
const MINIMUM_MS = 5;
/** The server stops a little before the connection would be cut. */
const MARGIN_MS = 10;
const LARGE_TABLE_BYTES = 256 * 1024 * 1024;

/**
 * Asks the rows, read-only and within a deadline; one answer for each question, in their order. What cannot be asked in time
 * or at all is `unknown`: this throws on bugs only.
 */
export async function askData(
  database: Database,
  questions: readonly DataQuestion[],
  options: AskOptions,
): Promise<readonly DataAnswer[]> {
  const { memory, deadlineMs } = options;
  const controller = new AbortController();
  const stop = () => controller.abort();
  const timer = setTimeout(stop, deadlineMs);
  options.signal.addEventListener("abort", stop, { once: true });
  if (options.signal.aborted) stop();
  const asking: Asking = { database, options, signal: controller.signal, end: memory.now() + deadlineMs };
  const answers = new Map<DataQuestion, DataAnswer>();
  try {
    for (const group of byTable(questions)) {
      for (const answer of await askTable(asking, group)) answers.set(answer.question, answer);
    }
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", stop);
  }
  return questions.flatMap((question) => answers.get(question) ?? []);
}

interface Asking {
  readonly database: Database;
  readonly options: AskOptions;
  /** The caller's, or the deadline. */
  readonly signal: AbortSignal;
  /** In the time of the memory's clock. */
  readonly end: number;
}

function byTable(questions: readonly DataQuestion[]): readonly (readonly DataQuestion[])[] {
  return [...Map.groupBy(questions, ({ table }) => JSON.stringify([table.schema, table.name])).values()];
}

async function askTable(asking: Asking, questions: readonly DataQuestion[]): Promise<readonly DataAnswer[]> {
  const { memory } = asking.options;
  const key = JSON.stringify([questions[0]?.table.schema, questions[0]?.table.name]);
  const answers = await memory.inTurn(key, asking.signal, () => askInTurn(asking, questions));
  return answers ??
    questions.map((question) => unknown(question, timeObstacle("another review asks about this table")));
}

/** A statement that fails ends its transaction: the next questions get a new one. */
async function askInTurn(asking: Asking, questions: readonly DataQuestion[]): Promise<readonly DataAnswer[]> {
  const answers: DataAnswer[] = [];
  while (answers.length < questions.length) {
    const rest = questions.slice(answers.length);
    answers.push(...await askInTransaction(asking, rest));
  }
  return answers;
}

/** Answers for at least the first of the questions. */
async function askInTransaction(asking: Asking, questions: readonly DataQuestion[]): Promise<readonly DataAnswer[]> {
  const { database, signal } = asking;
  const answers: DataAnswer[] = [];
  const progress: { facts?: TableFacts | undefined; isRead: boolean } = { isRead: false };
  const statementTimeoutMs = timeLeft(asking);
  if (statementTimeoutMs === undefined) return questions.map((each) => unknown(each, timeObstacle("no time is left")));
  try {
    const options = { readOnly: true, lockTimeoutMs: LOCK_TIMEOUT_MS, statementTimeoutMs, signal };
    await database.transaction(options, async (transaction) => {
      const [first] = questions;
      const facts = first === undefined ? undefined : await readFacts(transaction, first.table);
      progress.isRead = true;
      for (const question of questions) answers.push(await answerQuestion(question, { asking, transaction, facts }));
    });
    return answers;
  } catch (error) {
    if (!(error instanceof PostgresError)) throw error;
    const obstacle = signal.aborted ? timeObstacle("no time is left") : whyOf(error);
    const [failed, ...rest] = questions.slice(answers.length);
    if (failed !== undefined) answers.push(unknown(failed, obstacle));
    // The table itself is out of reach, or the server: that holds for every other question, too.
    const isFinal = !progress.isRead || error.sqlstate === undefined;
    return isFinal ? [...answers, ...rest.map((question) => unknown(question, obstacle))] : answers;
  }
}

interface Inquiry {
  readonly asking: Asking;
  readonly transaction: Transaction;
  /** Of the question's table. */
  readonly facts: TableFacts | undefined;
}

async function answerQuestion(question: DataQuestion, inquiry: Inquiry): Promise<DataAnswer> {
  const { asking: { options: { memory } }, facts } = inquiry;
  const target = await targetFacts(question, inquiry);
  const prepared = preparedQuestion(question, target);
  const obstacle = obstacleFor(prepared, { facts, target });
  if (obstacle !== undefined || facts === undefined) return unknown(question, obstacle ?? timeObstacle("no facts"));
  const context: ProbeContext = { scope: "All", composite: compositeColumns(facts) };
  const key = `${facts.oid} ${target?.oid ?? ""} ${probeSql(prepared, context)}`;
  const known = memory.find(key);
  if (known !== undefined) return { ...known, question };
  const limit = timeLeft(inquiry.asking);
  try {
    const answer = { ...await probe(prepared, context, inquiry), question };
    memory.keep(key, answer);
    return answer;
  } catch (error) {
    // With all the time that there ever is it was too slow: it will be again.
    const isSlow = error instanceof PostgresError && error.sqlstate === "57014" && limit === PROBE_TIMEOUT_MS;
    if (isSlow) memory.keep(key, unknown(question, whyOf(error)));
    throw error;
  }
}

async function targetFacts(question: DataQuestion, { transaction, facts }: Inquiry): Promise<TableFacts | undefined> {
  if (question.kind !== "orphans") return undefined;
  const { schema, table } = question.references;
  if (schema === question.table.schema && table === question.table.name) return facts;
  return await readFacts(transaction, { schema, name: table });
}

function compositeColumns(facts: TableFacts): ReadonlySet<string> {
  // What a domain over a domain is, nobody looked up.
  const isComposite = (kind: string) => kind === "c" || kind === "d";
  return new Set([...facts.columns].flatMap(([name, { typeKind }]) => isComposite(typeKind) ? [name] : []));
}

/** Large tables tell by a sample what a full look would take too long for; a sample proves nothing but a violation. */
async function probe(question: DataQuestion, context: ProbeContext, inquiry: Inquiry): Promise<DataAnswer> {
  const { asking: { options }, facts } = inquiry;
  const isLarge = (facts?.bytes ?? 0) > (options.largeTableBytes ?? LARGE_TABLE_BYTES);
  if (isLarge && question.kind !== "rows") {
    const found = await run(probeSql(question, { ...context, scope: "Sample" }), inquiry);
    const answer = answerOf(question, found, "Sample");
    if (answer.kind === "violated") return answer;
    if (question.kind === "duplicates" && !isCovered(question, facts)) {
      return unknown(question, { reason: "size", why: "the table is large; a sample of it shows nothing wrong" });
    }
  }
  return answerOf(question, await run(probeSql(question, context), inquiry), "All");
}

function isCovered(
  { columns }: DataQuestion & { readonly kind: "duplicates" },
  facts: TableFacts | undefined,
): boolean {
  return facts?.indexes.some((index) => {
    const leading = index.slice(0, columns.length);
    return columns.every(({ name }) => leading.includes(name));
  }) ?? false;
}

async function run(sql: string, { asking, transaction }: Inquiry): Promise<ProbeRow> {
  const limit = timeLeft(asking) ?? MINIMUM_MS;
  // A CHECK is not looked at, not even by the planner: it would run its functions.
  const settings = `SELECT pg_catalog.set_config('statement_timeout', $1, true),
    pg_catalog.set_config('max_parallel_workers_per_gather', '0', true),
    pg_catalog.set_config('constraint_exclusion', 'partition', true)`;
  const [, [row]] = await Promise.all([
    transaction.query(settings, [String(limit)]),
    transaction.query<ProbeRow>(sql),
  ]);
  if (row === undefined) throw new Error("Cannot read the answer of a probe: a count must have one row");
  return row;
}

function answerOf(question: DataQuestion, row: ProbeRow, scope: ProbeContext["scope"]): DataAnswer {
  const found = Number(row.found);
  const allowed = question.kind === "rows" && question.value === "same" ? 1 : 0;
  if (found <= allowed) return { question, kind: "holds" };
  const count = Math.min(found, MAXIMUM_COUNT);
  const violated = { question, kind: "violated", count, more: found > count || scope === "Sample" } as const;
  // Lengths are compared over all rows that were looked at, however many there are.
  return row.longest === null ? violated : { ...violated, longest: row.longest, more: scope === "Sample" };
}

/** Milliseconds that the server may take for one statement; `undefined`: too few. */
function timeLeft({ end, options }: Asking): number | undefined {
  const left = Math.floor(end - options.memory.now()) - MARGIN_MS;
  return left < MINIMUM_MS ? undefined : Math.min(PROBE_TIMEOUT_MS, left);
}

function unknown(question: DataQuestion, { reason, why }: Obstacle): DataAnswer & { readonly reason: UnknownReason } {
  return { question, kind: "unknown", reason, why };
}

import { DATABASE_RESOURCE } from "../../handlers/database/objects.ts";
import { TABLE_RESOURCE } from "../../handlers/database_table/handler.ts";
import type { KubeObject } from "../../kube/object.ts";
import { eventually } from "../harness/wait.ts";
import { type DdlEntry, readJournal } from "./ddl_journal.ts";
import { configurationsLeft, readConfigurations } from "./oracles/configurations.ts";
import { readEndState, type Scope, withoutNames } from "./oracles/end_state.ts";
import { ddlLines, interleavings, multisetFaults, unwantedDestruction } from "./oracles/journals.ts";
import { isSecret, leaks, passwordsIn, type PublicText } from "./oracles/leaks.ts";
import { readLeftovers, stuckObjects } from "./oracles/leftovers.ts";
import { objectLines } from "./oracles/object_effects.ts";
import type { Stage } from "./stage/stage.ts";
import { readIntents } from "./user_intents.ts";

/** A value that plans put into rows, so that it can be looked for where it must not be. */
export const ROW_CANARY = "row-value-canary";

/** What one run left behind, and what it did. */
export interface Outcome {
  readonly endState: readonly string[];
  readonly ddl: readonly string[];
  /** Objects that the operator made and deleted. */
  readonly objects: readonly string[];
}

/** Where the journals stood when a run began. */
export interface Mark {
  readonly journal: number;
  readonly writes: number;
}

/** Where the journals stand now. */
export async function markOf({ database, api }: Stage): Promise<Mark> {
  const [row] = await database.sql("SELECT coalesce(max(id), 0)::int AS id FROM journal.ddl");
  return { journal: Number(row?.["id"]), writes: api.writes.length };
}

/** What a run has come to since a mark. */
export async function readOutcome(stage: Stage, mark: Mark, scope?: Scope): Promise<Outcome> {
  const journal = await readJournal(stage.database.sql, mark.journal);
  const own = (line: string) => withoutNames(line, scope).replaceAll(stage.namespace, "NAMESPACE");
  return {
    endState: await readEndState(stage, scope),
    ddl: ddlLines(journal).map(own),
    objects: objectLines(stage.api.writes.slice(mark.writes)).map(own),
  };
}

/** What no run may do or leave, with or without a reference. The operator must have ended. */
export async function readFaults(stage: Stage): Promise<readonly string[]> {
  const { database, testbed, namespace } = stage;
  const journal = await readJournal(database.sql);
  const intents = await readIntents(testbed, namespace);
  return [
    ...stage.lies,
    ...unwantedDestruction(journal, intents),
    ...leaks(publicTexts(stage), [database.password, ROW_CANARY, ...passwordsIn(stage.api.writes)]),
    ...interleavingsOf(stage, journal),
    ...await leftoversOf(stage),
    ...bugsOf(stage),
  ];
}

/** What operators said, for whoever has to find out why a plan failed; empty if it did not. */
export function storyOf({ operators }: Stage, faults: readonly string[]): readonly string[] {
  if (faults.length === 0) return [];
  return operators.flatMap(({ name, log, words, end }) => [
    ...log.map(({ time, level, message, ...rest }) => `${name} ${time} ${level}: ${message} ${JSON.stringify(rest)}`),
    ...words.map((line) => `${name} ${line}`),
    `${name} ${end === undefined ? "runs" : `ended with ${end.signal ?? end.code}`}`,
  ]);
}

/** Everything that is wrong with a run, beside an undisturbed one. */
export function compareOutcomes(reference: Outcome, actual: Outcome): readonly string[] {
  return [
    ...multisetFaults(reference.endState, actual.endState).map((line) => `end state: ${line}`),
    ...multisetFaults(reference.ddl, actual.ddl).map((line) => `DDL: ${line}`),
    ...multisetFaults(reference.objects, actual.objects).map((line) => `objects: ${line}`),
  ];
}

/** Of operators that ran one after the other; who runs several at a time counts the hand-overs itself. */
function interleavingsOf(stage: Stage, journal: readonly DdlEntry[]): readonly string[] {
  const { operators, database, elects } = stage;
  if (elects) return [];
  const own = journal.filter(({ role }) => role === database.role);
  const writerOf = (pid: number) => operators.find((each) => stage.backendsOf(each).has(pid))?.name;
  return interleavings(own, writerOf, operators.length - 1);
}

function publicTexts({ operators, api, heard }: Stage): readonly PublicText[] {
  const logs = operators.flatMap(({ name, log, words }) => [
    ...log.map((entry) => ({ where: `the log of ${name}`, text: JSON.stringify(entry) })),
    ...words.map((text) => ({ where: `the last words of ${name}`, text })),
  ]);
  const written = api.writes.filter(({ path }) => !isSecret(path))
    .map(({ method, path, body }) => ({ where: `${method} ${path}`, text: body }));
  return [...logs, ...written, ...heard];
}

function bugsOf({ operators }: Stage): readonly string[] {
  return operators.flatMap(({ name, log }) =>
    log.filter(({ level }) => level === "error").map((entry) => `${name} logged an error: ${JSON.stringify(entry)}`)
  );
}

/** Sessions end a moment after their client has gone, so what is left is what stays. */
async function leftoversOf(stage: Stage): Promise<readonly string[]> {
  try {
    await eventually("nothing is left", async () => (await readAllLeftovers(stage)).length === 0);
    return [];
  } catch {
    return (await readAllLeftovers(stage)).map((line) => `left over: ${line}`);
  }
}

async function readAllLeftovers({ database, user, namespace }: Stage): Promise<readonly string[]> {
  const [tables, servers] = await Promise.all(
    [TABLE_RESOURCE, DATABASE_RESOURCE].map((type) => user.list<KubeObject>(type, { namespace })),
  );
  const living = tables?.items.map(({ metadata }) => metadata.uid) ?? [];
  return [
    ...await readLeftovers(database.sql, { role: database.role, living }),
    ...stuckObjects([...tables?.items ?? [], ...servers?.items ?? []]),
    ...configurationsLeft(await readConfigurations(user, namespace)),
  ];
}

import type { DdlEntry } from "../ddl_journal.ts";
import type { Intent } from "../user_intents.ts";

/** What is in one list and not in the other, counted: what happened twice is a difference, too. */
export function multisetFaults(reference: readonly string[], actual: readonly string[]): readonly string[] {
  const left = [...actual];
  const missing = reference.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return [...missing.map((line) => `missing: ${line}`), ...left.map((line) => `not in the reference: ${line}`)];
}

/** A journal as lines that two runs can be compared by. */
export function ddlLines(journal: readonly DdlEntry[]): readonly string[] {
  return journal.map(({ tag, identity }) => `${tag} ${identity}`);
}

/** Drops of tables and columns that no user has asked for before they ran. */
export function unwantedDestruction(
  journal: readonly DdlEntry[],
  intents: readonly Intent[],
): readonly string[] {
  return journal.filter(({ identity }) => identity.startsWith("public."))
    .filter((entry) => {
      const earlier = intents.filter(({ at }) => at <= entry.at);
      const [, table = "", column = ""] = entry.identity.split(".");
      if (entry.tag === "DROPPED table") return !wantsTableGone(earlier, table);
      if (entry.tag === "DROPPED table column") return !wantsColumnGone(earlier, table, column);
      return false;
    })
    .map(({ tag, identity }) => `${tag} ${identity}: nobody asked for it`);
}

function wantsTableGone(intents: readonly Intent[], table: string): boolean {
  return intents.some(({ verb, name }, index) => {
    if (verb === "deletecollection") return true;
    if (verb !== "delete") return false;
    const spec = intents.slice(0, index).findLast((each) => each.name === name && each.spec !== undefined)?.spec;
    return String(spec?.["tableName"]).toLowerCase() === table;
  });
}

function wantsColumnGone(intents: readonly Intent[], table: string, column: string): boolean {
  const spec = intents.findLast((each) => String(each.spec?.["tableName"]).toLowerCase() === table)?.spec;
  if (spec === undefined) return false;
  const columns = spec["columns"] as readonly Readonly<Record<string, unknown>>[];
  return !columns.flatMap((each) => Object.keys(each)).some((name) => name.toLowerCase() === column);
}

/**
 * Where the DDL of two operators interleaves: more changes of the writer than the leadership changed hands, or a transaction of one
 * in the middle of a transaction of the other.
 *
 * @param writerOf Which operator a session belongs to.
 * @param handOvers How often the leadership may have changed hands.
 */
export function interleavings(
  journal: readonly DdlEntry[],
  writerOf: (pid: number) => string | undefined,
  handOvers: number,
): readonly string[] {
  const writers = journal.map((entry) => ({ ...entry, writer: writerOf(entry.pid) ?? `unknown ${entry.pid}` }));
  const changes = writers.filter(({ writer }, index) => index > 0 && writers[index - 1]?.writer !== writer);
  const faults = changes.length > handOvers
    ? [
      `the writer changed ${changes.length} times with ${handOvers} hand-overs: ${changes.map(({ writer }) => writer)}`,
    ]
    : [];
  const spans = Map.groupBy(writers, ({ txid }) => txid);
  for (const [txid, entries] of spans) {
    const [first, last] = [entries[0], entries.at(-1)];
    if (first === undefined || last === undefined) continue;
    const between = writers.filter(({ id, writer }) => id > first.id && id < last.id && writer !== first.writer);
    faults.push(
      ...between.map(({ tag, identity, writer }) => `${tag} ${identity} of ${writer} within transaction ${txid}`),
    );
  }
  return faults;
}

import type { Relation } from "../catalog/catalog.ts";
import { adoptTexts, type ForeignPart, foreignParts } from "../registry/foreign_text.ts";
import { adoptEpoch, findOwned, type OwnedTable, record } from "../registry/registry.ts";
import type { Part } from "../registry/trace.ts";
import type { Database } from "../session/client.ts";
import { printOnScratch, type Sketch } from "../situation/scratch.ts";
import { isUnbound } from "../situation/situation.ts";
import { lockNames } from "./table_lock.ts";

/** What stands under a name, and a row of the registry that came from another server, database or major version. */
export interface Unbound {
  readonly row: OwnedTable;
  readonly relation: Relation;
}

interface Limits {
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** A text is the same from its second print on; one more says that it will not become it. */
const MAX_PRINTS = 3;

/**
 * Makes a row of another epoch this server's: its oid, and the stored texts that are what this server prints for those that
 * were recorded. A text that is not was changed by somebody, and stays to be planned as drift. Alters no table.
 *
 * @returns `false` if somebody else works on the table: ask again later.
 * @throws {PostgresError} on every failure of the database but those of single texts.
 */
export async function rebind(database: Database, unbound: Unbound, limits: Limits): Promise<boolean> {
  const { row, relation } = unbound;
  const same: Part[] = [];
  for (const foreign of foreignParts(row.expressions, relation)) {
    if (await isSame(database, { relation, foreign }, limits)) same.push(foreign.part);
  }
  const expressions = adoptTexts(row.expressions, same);
  return await database.transaction({ ...limits, readOnly: false }, async (transaction) => {
    await adoptEpoch(transaction);
    if (!await lockNames(transaction, [{ schema: row.schema, name: row.table }])) return false;
    // In a statement of its own: what the holder of the lock before us recorded is seen only now.
    const [current] = (await findOwned(transaction, { owner: row.owner })).filter(({ id }) => id === row.id);
    if (current === undefined || !isUnbound(current)) return true;
    const { owner, specHash, members } = current;
    await record(transaction, { owner, specHash, members, relation, expressions });
    return true;
  });
}

interface Comparison {
  readonly relation: Relation;
  readonly foreign: ForeignPart;
}

async function isSame(database: Database, { relation, foreign }: Comparison, limits: Limits): Promise<boolean> {
  for (const origin of foreign.origins) {
    let texts: ReadonlyMap<string, string> | undefined = origin;
    for (let count = 0; count < MAX_PRINTS && texts !== undefined; count++) {
      texts = await printOnScratch(database, { relation, sketch: sketchOf({ relation, foreign }, texts) }, limits);
      if (texts !== undefined && isEqual(texts, foreign.part.texts)) return true;
    }
  }
  return false;
}

function isEqual(texts: ReadonlyMap<string, string>, others: ReadonlyMap<string, string>): boolean {
  return texts.size === others.size && [...texts].every(([place, text]) => others.get(place) === text);
}

/** The part with other texts than it has. */
function sketchOf({ relation, foreign: { kind, part } }: Comparison, texts: ReadonlyMap<string, string>): Sketch {
  switch (kind) {
    case "column":
      return texts.has("default")
        ? { kind: "default", column: part.name, text: texts.get("default") ?? "" }
        : { kind: "generated", column: part.name, text: texts.get("generated") ?? "" };
    case "check":
      return { kind: "check", text: texts.get("") ?? "" };
    case "index": {
      const index = relation.indexes.find(({ name }) => name === part.name);
      if (index === undefined) throw new Error(`no index ${part.name}`);
      const { where: _, ...rest } = index;
      const keys = index.keys.map((key, position) => {
        const expression = texts.get(String(position + 1));
        return expression === undefined ? key : { ...key, expression };
      });
      const where = texts.get("where");
      return { kind: "index", index: { ...rest, keys, ...(where === undefined ? {} : { where }) } };
    }
  }
}

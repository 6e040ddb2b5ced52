import { observeRelations, type Relation } from "../catalog/catalog.ts";
import { adoptTexts, type ForeignPart, foreignParts } from "../registry/foreign_text.ts";
import { adoptEpoch, findOwned, type OwnedTable, record } from "../registry/registry.ts";
import { type Part, partOfCheck, partOfColumn, partOfIndex } from "../registry/trace.ts";
import type { Database, Transaction } from "../session/client.ts";
import { PostgresError } from "../session/errors.ts";
import { isUnbound } from "../situation/situation.ts";
import { columnDefinition, defaultClause, indexDefinition } from "../statement/definition.ts";
import { qualifiedName, quoteIdentifier } from "../text/identifier.ts";
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

/** Ours, and nobody else may create in it; it never holds the table when a transaction ends. */
const SCRATCH_SCHEMA = "tablewright";
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
      texts = await print(database, { relation, foreign, texts }, limits);
      if (texts !== undefined && isEqual(texts, foreign.part.texts)) return true;
    }
  }
  return false;
}

function isEqual(texts: ReadonlyMap<string, string>, others: ReadonlyMap<string, string>): boolean {
  return texts.size === others.size && [...texts].every(([place, text]) => others.get(place) === text);
}

/** Carries what was printed out of a transaction that must not commit. */
class Printed extends Error {
  readonly texts: ReadonlyMap<string, string>;

  constructor(texts: ReadonlyMap<string, string>) {
    super("printed");
    this.texts = texts;
  }
}

type Print = Comparison & { readonly texts: ReadonlyMap<string, string> };

/** What this server prints for some texts, if it understands them: a function that they name may not be here. */
async function print(
  database: Database,
  wanted: Print,
  limits: Limits,
): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    await database.transaction({ ...limits, readOnly: false }, async (transaction) => {
      throw new Printed(await printOnScratch(transaction, wanted));
    });
  } catch (error) {
    if (error instanceof Printed) return error.texts;
    if (!isAboutText(error)) throw error;
  }
  return undefined;
}

/** 42: a function, a type or a column that is not here; a condition: what this server refuses. */
function isAboutText(error: unknown): boolean {
  return error instanceof PostgresError && (error.kind === "condition" || error.sqlstate?.startsWith("42") === true);
}

async function printOnScratch(transaction: Transaction, wanted: Print): Promise<ReadonlyMap<string, string>> {
  const { relation } = wanted;
  const name = `reread_${relation.oid}`;
  const scratch = qualifiedName(SCRATCH_SCHEMA, name);
  await transaction.query(`CREATE TABLE ${scratch} (LIKE ${qualifiedName(relation.schema, relation.name)})`);
  await transaction.query(scratchStatement(scratch, wanted));
  const [read] = await observeRelations(transaction, { schema: SCRATCH_SCHEMA, names: [name], oids: [] });
  return read === undefined ? new Map() : partOf(read, wanted.foreign).texts;
}

/** Gives the scratch table the part with the texts. */
function scratchStatement(scratch: string, { relation, foreign: { kind, part }, texts }: Print): string {
  const text = texts.get("") ?? "";
  switch (kind) {
    case "column":
      return `ALTER TABLE ${scratch} ${columnAction(relation, part, texts)}`;
    case "check":
      return `ALTER TABLE ${scratch} ADD CHECK (${text})`;
    case "index": {
      const index = relation.indexes.find(({ name }) => name === part.name);
      if (index === undefined) throw new Error(`no index ${part.name}`);
      const { name: _, where: __, ...unnamed } = index;
      const keys = index.keys.map((key, position) => {
        const expression = texts.get(String(position + 1));
        return expression === undefined ? key : { ...key, expression };
      });
      const where = texts.get("where");
      return indexDefinition({ ...unnamed, keys, ...(where === undefined ? {} : { where }) }, scratch, "Direct");
    }
  }
}

function columnAction(relation: Relation, { name }: Part, texts: ReadonlyMap<string, string>): string {
  const text = texts.get("default");
  const quoted = quoteIdentifier(name);
  if (text !== undefined) return `ALTER COLUMN ${quoted} SET DEFAULT ${defaultClause(text)}`;
  const column = relation.columns.find((each) => each.name === name);
  if (column === undefined) throw new Error(`no column ${name}`);
  const { type, collation } = column;
  const generated = texts.get("generated") ?? "";
  const plain = { name, type, notNull: false, generated, ...(collation === undefined ? {} : { collation }) };
  return `DROP COLUMN ${quoted}, ADD COLUMN ${columnDefinition(plain, [])}`;
}

/** The one part of the scratch table that has texts. */
function partOf(scratch: Relation, { kind, part }: ForeignPart): Part {
  const parts = {
    column: scratch.columns.filter(({ name }) => name === part.name).map(partOfColumn),
    check: scratch.constraints.map(partOfCheck),
    index: scratch.indexes.map(partOfIndex),
  }[kind].filter(({ texts }) => texts.size > 0);
  const [found] = parts;
  if (found === undefined) throw new Error(`the ${kind} ${part.name} is not on the scratch table`);
  return found;
}

import { observeRelations } from "../catalog/catalog.ts";
import type { Relation } from "../catalog/relation.ts";
import { type Part, partOfCheck, partOfColumn, partOfIndex } from "../registry/trace.ts";
import type { Database, Transaction, TransactionOptions } from "../session/client.ts";
import { PostgresError } from "../session/errors.ts";
import { columnDefinition, defaultClause, indexDefinition } from "../statement/definition.ts";
import { qualifiedName, quoteIdentifier } from "../text/identifier.ts";
import type { Index } from "../table.ts";

/** One part with expressions, as it is tried on a copy of a table. */
export type Sketch =
  | { readonly kind: "default" | "generated"; readonly column: string; readonly text: string }
  | { readonly kind: "check"; readonly text: string }
  | { readonly kind: "index"; readonly index: Index };

/** Ours, and nobody else may create in it; it never holds the table when a transaction ends. */
const SCRATCH_SCHEMA = "tablewright";
/** Whoever may not write here cannot be told. */
const READ_ONLY = "25006";

/** Carries what was printed out of a transaction that must not commit. */
class Printed extends Error {
  readonly texts: ReadonlyMap<string, string>;

  constructor(texts: ReadonlyMap<string, string>) {
    super("printed");
    this.texts = texts;
  }
}

/**
 * What this server stores for the expressions of a part, by their place in it: it is made on an empty copy of the table, read
 * and rolled back. `undefined` if the server does not understand it, or if nothing may be made here.
 *
 * @throws {PostgresError} on every failure of the database but those of single texts.
 */
export async function printOnScratch(
  database: Database,
  wanted: { readonly relation: Relation; readonly sketch: Sketch },
  limits: Omit<TransactionOptions, "readOnly">,
): Promise<ReadonlyMap<string, string> | undefined> {
  const { relation, sketch } = wanted;
  try {
    await database.transaction({ ...limits, readOnly: false }, async (transaction) => {
      throw new Printed(await makeAndRead(transaction, relation, sketch));
    });
  } catch (error) {
    if (error instanceof Printed) return error.texts;
    if (!isAboutText(error)) throw error;
  }
  return undefined;
}

/** 42: a function, a type or a column that is not here; a condition: what this server refuses. */
function isAboutText(error: unknown): boolean {
  return error instanceof PostgresError &&
    (error.kind === "condition" || error.sqlstate?.startsWith("42") === true || error.sqlstate === READ_ONLY);
}

async function makeAndRead(
  transaction: Transaction,
  relation: Relation,
  sketch: Sketch,
): Promise<ReadonlyMap<string, string>> {
  const name = `reread_${relation.oid}`;
  const scratch = qualifiedName(SCRATCH_SCHEMA, name);
  await transaction.query(`CREATE TABLE ${scratch} (LIKE ${qualifiedName(relation.schema, relation.name)})`);
  await transaction.query(statementOf(scratch, relation, sketch));
  const [read] = await observeRelations(transaction, { schema: SCRATCH_SCHEMA, names: [name], oids: [] });
  return read === undefined ? new Map() : partOf(read, sketch).texts;
}

/** Gives the scratch table the part. */
function statementOf(scratch: string, relation: Relation, sketch: Sketch): string {
  switch (sketch.kind) {
    case "default": {
      const column = quoteIdentifier(sketch.column);
      return `ALTER TABLE ${scratch} ALTER COLUMN ${column} SET DEFAULT ${defaultClause(sketch.text)}`;
    }
    case "generated":
      return `ALTER TABLE ${scratch} ${generatedAction(relation, sketch.column, sketch.text)}`;
    case "check":
      // To look for rows, PostgreSQL would compute what it can of the expression.
      return `ALTER TABLE ${scratch} ADD CHECK (${sketch.text}) NOT VALID`;
    case "index": {
      const { name: _, ...unnamed } = sketch.index;
      return indexDefinition(unnamed, scratch, "Direct");
    }
  }
}

function generatedAction(relation: Relation, name: string, generated: string): string {
  const column = relation.columns.find((each) => each.name === name);
  if (column === undefined) throw new Error(`no column ${name}`);
  const { type, collation } = column;
  const plain = { name, type, notNull: false, generated, ...(collation === undefined ? {} : { collation }) };
  return `DROP COLUMN ${quoteIdentifier(name)}, ADD COLUMN ${columnDefinition(plain, [])}`;
}

/** The one part of the scratch table that has texts. */
function partOf(scratch: Relation, sketch: Sketch): Part {
  const [found] = partsOf(scratch, sketch).filter(({ texts }) => texts.size > 0);
  if (found === undefined) throw new Error(`the ${sketch.kind} is not on the scratch table`);
  return found;
}

function partsOf({ columns, constraints, indexes }: Relation, sketch: Sketch): readonly Part[] {
  switch (sketch.kind) {
    case "default":
    case "generated":
      return columns.filter(({ name }) => name === sketch.column).map(partOfColumn);
    case "check":
      return constraints.map(partOfCheck);
    case "index":
      return indexes.map(partOfIndex);
  }
}

import { observeRelations, type Relation } from "../../../postgres/catalog/catalog.ts";
import { readIdentityOptions } from "../../../postgres/catalog/identity_options.ts";
import { listTableNames } from "../../../postgres/catalog/table_names.ts";
import { observeRegistry, registryReader } from "../../../postgres/registry/registry_reader.ts";
import type { Database, Transaction } from "../../../postgres/session/client.ts";
import { PostgresError } from "../../../postgres/session/errors.ts";
import { parseQualifiedName } from "../../../postgres/text/qualified_name.ts";
import { StartError } from "../../errors.ts";
import { judgeLive } from "../../database_table/verdict/judge_live.ts";
import { LiveCatalog } from "../../database_table/verdict/live_catalog.ts";
import { understandSpec } from "../../database_table/spec/understand.ts";
import { commandDatabase } from "../command_database.ts";
import { EXIT, type ExitCode, type Terminal } from "../terminal.ts";
import { importTable } from "./import_table.ts";
import { objectName } from "./object_name.ts";
import { unsaidParts } from "./unsaid.ts";
import { describe, type ImportedTable, PREAMBLE, printDocument } from "./print_document.ts";

export interface ImportOptions {
  /** Folded. */
  readonly schema: string;
  /** As written; empty: all of the schema. */
  readonly tables: readonly string[];
  readonly namespace?: string;
  /** See `Config.allowedFunctions`. */
  readonly allowedFunctions: ReadonlySet<string>;
}

/** The importer owns nothing: a table of any object is somebody else's. */
const IMPORTER = { namespace: "tablewright-import", name: "", uid: "", takeOver: undefined };
const NO_CLUSTER = "00000000-0000-0000-0000-000000000000";

/**
 * Prints existing tables as DatabaseTables that take them over as they are; writes nothing.
 *
 * @throws {StartError} one line, if the database cannot be asked or a table is not there.
 */
export async function importCommand(
  options: ImportOptions,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<ExitCode> {
  const database = commandDatabase(terminal);
  try {
    const tables = await importTables(database, options, signal);
    terminal.print([PREAMBLE, ...tables.map((table) => printDocument(table, options))].join("\n"));
    const lines = tables.flatMap(omissionLines);
    for (const line of lines) terminal.warn(line);
    if (tables.length === 0) terminal.warn(`there is no table in the schema ${options.schema}`);
    return lines.length === 0 ? EXIT.ok : EXIT.changes;
  } catch (error) {
    throw error instanceof PostgresError ? new StartError(`Cannot import: ${error.message}`) : error;
  } finally {
    await database.close();
  }
}

async function importTables(
  database: Database,
  options: ImportOptions,
  signal: AbortSignal,
): Promise<readonly ImportedTable[]> {
  const read = <T>(work: (transaction: Transaction) => Promise<T>) =>
    database.transaction({ readOnly: true, lockTimeoutMs: 1_000, statementTimeoutMs: 30_000, signal }, work);
  const find = registryReader(await read(observeRegistry));
  const relations = await read((transaction) => findRelations(transaction, options));
  const catalog = new LiveCatalog({
    database,
    clusterId: NO_CLUSTER,
    allowedFunctions: options.allowedFunctions,
    find,
  });
  const taken = new Set<string>();
  const imported: ImportedTable[] = [];
  for (const relation of relations) {
    const table = `${relation.schema}.${relation.name}`;
    const result = await importTable(
      relation,
      async (spec) => await judgeLive(await understandSpec(spec), { claim: IMPORTER, catalog }, signal),
    );
    if (result.kind === "unprinted") {
      imported.push({ ...result, table });
      continue;
    }
    const unsaid = unsaidParts(relation, await read((transaction) => readIdentityOptions(transaction, relation.oid)));
    const printed = { ...result.printed, omissions: [...result.printed.omissions, ...unsaid] };
    imported.push({ ...result, printed, table, name: objectName(relation, taken) });
  }
  return imported;
}

async function findRelations(transaction: Transaction, options: ImportOptions): Promise<readonly Relation[]> {
  const { schema, tables } = options;
  const asked = tables.map((text) => readTable(text, schema));
  const all = asked.length > 0
    ? asked
    : (await listTableNames(transaction, schema)).map((name) => ({ schema, name, text: name }));
  const relations: Relation[] = [];
  for (const { text, ...table } of all) {
    const found = await observeRelations(transaction, { schema: table.schema, names: [table.name], oids: [] });
    const relation = found.find(({ kind }) => kind !== "type");
    if (relation === undefined) throw new StartError(`Cannot import ${text}: there is no such table`);
    relations.push(relation);
  }
  return relations;
}

function readTable(
  text: string,
  schema: string,
): { readonly schema: string; readonly name: string; readonly text: string } {
  const parsed = parseQualifiedName(text);
  if (!parsed.ok) throw new StartError(`Cannot import ${text}: ${parsed.fault}`);
  return { schema: parsed.value.schema ?? schema, name: parsed.value.name, text };
}

function omissionLines(imported: ImportedTable): readonly string[] {
  return imported.kind === "printed"
    ? imported.printed.omissions.map((each) => `${imported.table}: left out: ${describe(each)}`)
    : imported.why.map((why) => `${imported.table}: not imported: ${why}`);
}

import { observeRelations, type Relation } from "../../postgres/catalog/catalog.ts";
import { type Database, openDatabase, type Transaction } from "../../postgres/session/client.ts";
import { startTestDatabase, type TestDatabase } from "./postgres_database.ts";

/** A database with the schemas `app` and `copy`, both the operator's, to make tables in and to read them. */
export interface CatalogDatabase {
  readonly server: TestDatabase;
  /** As the operator. */
  readonly database: Database;
  /** Major version of the server. */
  readonly version: number;
  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  run(...statements: readonly string[]): Promise<void>;
  observe(name: string, schema?: string): Promise<Relation>;
  /** Empties both schemas. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

export async function openCatalogDatabase(name: string): Promise<CatalogDatabase> {
  const { signal } = new AbortController();
  const server = await startTestDatabase(name);
  const database = openDatabase({ url: server.url, applicationName: "tablewright-test", maxConnections: 4 });
  const [row] = await server.asSuperuser("SELECT current_setting('server_version_num')::int / 10000 AS major");
  const limits = { readOnly: false, lockTimeoutMs: 5_000, statementTimeoutMs: 10_000, signal };
  const write: CatalogDatabase["write"] = (work) => database.transaction(limits, work);
  return {
    server,
    database,
    version: Number(row?.major),
    write,
    run: (...statements) =>
      write(async (transaction) => {
        for (const statement of statements) await transaction.query(statement);
      }),
    async observe(table, schema = "app") {
      const [relation] = await write((transaction) =>
        observeRelations(transaction, { schema, names: [table], oids: [] })
      );
      if (relation === undefined) throw new Error(`no ${schema}.${table}`);
      return relation;
    },
    async clear() {
      await server.asSuperuser(
        "DROP SCHEMA IF EXISTS app, copy CASCADE",
        ...["app", "copy"].map((schema) => `CREATE SCHEMA ${schema} AUTHORIZATION tw_${name}_operator`),
      );
    },
    async stop() {
      await database.close();
      await server.stop();
    },
  };
}

import postgres from "postgres";
import { roleStatements } from "./database_role.ts";
import { startThrowawayPostgres, type ThrowawayPostgres } from "./postgres_version.ts";

/** A database of its own on a real server, for one file of tests. */
export interface TestDatabase {
  /** As the operator's role: no superuser, may create in the database and in `public`. */
  readonly url: string;
  /** As a role of an application. */
  readonly otherUrl: string;
  /** As the superuser, in the same database. */
  readonly superuserUrl: string;
  /** Its name. */
  readonly database: string;
  /** Name of the operator's role. */
  readonly role: string;
  /** Runs statements as the superuser, outside of any transaction. */
  asSuperuser(...statements: readonly string[]): Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** The driver's own types are generic beyond need. */
interface Admin {
  unsafe(text: string): Promise<readonly Record<string, unknown>[]>;
  end(options: { timeout: number }): Promise<void>;
}

/**
 * Makes the database `tw_<name>` and its roles, anew. The server is the one of `TABLEWRIGHT_TEST_SUPERUSER_URL` (so that
 * other versions can be tested), or else one that is started for this file.
 *
 * @param serverUrl As the superuser, of another server.
 */
export async function startTestDatabase(name: string, serverUrl?: string): Promise<TestDatabase> {
  const server = await startServer(serverUrl);
  const admin = connect(server.superuserUrl);
  const database = `tw_${name}`;
  const roles = [`${database}_operator`, `${database}_other`] as const;
  await run(admin, [`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`]);
  for (const role of roles) await run(admin, [`DROP ROLE IF EXISTS ${role}`]);
  await run(admin, [`CREATE DATABASE ${database}`, `CREATE ROLE ${roles[1]} LOGIN NOSUPERUSER PASSWORD 'p%ss word'`]);
  await admin.end({ timeout: 1 });
  const superuserUrl = urlOf(server.superuserUrl, { database });
  const superuser = connect(superuserUrl);
  await run(superuser, [roleStatements("database_role.sql", { role: roles[0], password: "p%ss word", database })]);
  return {
    url: urlOf(server.superuserUrl, { database, role: roles[0] }),
    otherUrl: urlOf(server.superuserUrl, { database, role: roles[1] }),
    superuserUrl,
    database,
    role: roles[0],
    asSuperuser: (...statements) => run(superuser, statements),
    async stop() {
      await superuser.end({ timeout: 1 });
      await server.stop();
    },
  };
}

function connect(url: string): Admin {
  return postgres(url, { max: 1, fetch_types: false, onnotice() {} }) as unknown as Admin;
}

async function run(admin: Admin, statements: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  let rows: readonly Record<string, unknown>[] = [];
  for (const statement of statements) rows = await admin.unsafe(statement);
  return rows;
}

function urlOf(superuserUrl: string, change: { readonly database: string; readonly role?: string }): string {
  const url = new URL(superuserUrl);
  url.pathname = `/${change.database}`;
  if (change.role !== undefined) {
    url.username = change.role;
    url.password = "p%25ss word";
  }
  return url.href;
}

async function startServer(given = Deno.env.get("TABLEWRIGHT_TEST_SUPERUSER_URL")): Promise<ThrowawayPostgres> {
  if (given !== undefined) return { superuserUrl: given, stop: () => Promise.resolve() };
  return await startThrowawayPostgres();
}

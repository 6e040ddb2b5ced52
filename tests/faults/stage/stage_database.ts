import postgres from "postgres";
import { type AsSuperuser, installJournal } from "../ddl_journal.ts";

/** The driver's own types are generic beyond need. */
interface Sql {
  unsafe(text: string): Promise<readonly Record<string, unknown>[]>;
  begin(work: (transaction: Pick<Sql, "unsafe">) => Promise<void>): Promise<void>;
  end(options: { timeout: number }): Promise<void>;
}

/** A database of one plan, whose DDL is written down. */
export interface StageDatabase {
  readonly name: string;
  /** The operator's role. */
  readonly role: string;
  readonly password: string;
  /** As the operator's role. */
  readonly url: string;
  readonly sql: AsSuperuser;
  /** Runs a statement as the superuser in a transaction that stays open. */
  hold(text: string, until: Promise<void>): HeldTransaction;
  close(): Promise<void>;
}

/** A transaction of somebody else. */
export interface HeldTransaction {
  /** Its statement has run. */
  readonly held: Promise<void>;
  readonly ended: Promise<void>;
}

/** Makes the database `fault_<name>` and its role anew. */
export async function openStageDatabase(superuserUrl: string, name: string): Promise<StageDatabase> {
  const database = `fault_${name.replaceAll("-", "_")}`;
  const role = `${database}_operator`;
  const password = `password-of-${name}-canary`;
  const admin = connect(superuserUrl);
  await admin.unsafe(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  await admin.unsafe(`DROP ROLE IF EXISTS ${role}`);
  await admin.unsafe(`CREATE ROLE ${role} LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS PASSWORD '${password}'`);
  await admin.unsafe(`CREATE DATABASE ${database}`);
  await admin.unsafe(`GRANT CREATE, CONNECT ON DATABASE ${database} TO ${role}`);
  await admin.end({ timeout: 1 });
  const own = new URL(superuserUrl);
  own.pathname = `/${database}`;
  const superuser = connect(own.href);
  const sql: AsSuperuser = async (text) => [...await superuser.unsafe(text)];
  await sql(`GRANT USAGE, CREATE ON SCHEMA public TO ${role}`);
  await installJournal(sql);
  const url = new URL(own.href);
  url.username = role;
  url.password = password;
  const hold = (text: string, until: Promise<void>) => holdTransaction(superuser, text, until);
  return { name: database, role, password, url: url.href, sql, hold, close: () => superuser.end({ timeout: 1 }) };
}

function holdTransaction(superuser: Sql, text: string, until: Promise<void>): HeldTransaction {
  const held = Promise.withResolvers<void>();
  const ended = superuser.begin(async (transaction) => {
    await transaction.unsafe(text);
    held.resolve();
    await until;
  });
  return { held: Promise.race([held.promise, ended]), ended };
}

/** What a plan does to the settings of a database must not change how its end state reads. */
const SETTINGS = {
  standard_conforming_strings: "on",
  search_path: '"$user", public',
  quote_all_identifiers: "off",
  DateStyle: "ISO, MDY",
};

function connect(url: string): Sql {
  // Sent at the start of a session: they stand above those of the database and of the role.
  return postgres(url, { max: 3, fetch_types: false, onnotice() {}, connection: SETTINGS }) as unknown as Sql;
}

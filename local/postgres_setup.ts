import { join } from "@std/path";
import { readTextIfPresent, removeIfPresent, writeFileAtomically } from "./files.ts";
import { LocalError } from "./local_error.ts";
import type { PostgresBinaries } from "./postgres_binaries.ts";

/** Passwords of a local server; generated once. */
export interface PostgresPasswords {
  readonly superuser: string;
  readonly operator: string;
}

export interface PostgresSetup {
  /** Of the server: data, log and passwords are inside. */
  readonly directory: string;
  readonly binaries: PostgresBinaries;
  /** The user who owns the data and runs the server; absent: we ourselves. */
  readonly uid?: number;
}

export const SUPERUSER = "postgres";
/** Name of the database and of the operator's role. */
export const OPERATOR = "tablewright";

/** The same on every machine, whatever locales it has. */
const LOCALE = ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"];
/** Older servers have none. */
const BUILTIN_LOCALES = 17;

/** Written last: a set-up that was interrupted begins anew. */
const DONE = "initialized";
const PASSWORDS = "passwords.json";

/** The least that the operator needs: it makes its registry schema and tables in `public`, and nothing beyond its database. */
function setupSql(
  passwords: PostgresPasswords,
): readonly { readonly database: string; readonly sql: readonly string[] }[] {
  return [
    {
      database: "postgres",
      sql: [
        `CREATE ROLE ${OPERATOR} LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOBYPASSRLS PASSWORD '${passwords.operator}'`,
        // Its name is that of the registry's schema, where nothing that somebody makes by hand shall land.
        `ALTER ROLE ${OPERATOR} SET search_path = public`,
        `CREATE DATABASE ${OPERATOR}`,
        `GRANT CONNECT, CREATE ON DATABASE ${OPERATOR} TO ${OPERATOR}`,
      ],
    },
    { database: OPERATOR, sql: [`GRANT USAGE, CREATE ON SCHEMA public TO ${OPERATOR}`] },
  ];
}

/** Belongs to the user who runs the server: its log and its data. Passwords stay outside, with us. */
export function workDirectory({ directory }: { readonly directory: string }): string {
  return join(directory, "server");
}

/** What `initdb` makes; exists only when it has run. */
export function dataDirectory(setup: { readonly directory: string }): string {
  return join(workDirectory(setup), "data");
}

/** The passwords of a server that was set up in this folder, if there is one. */
export function readPasswords(directory: string): PostgresPasswords | undefined {
  const isDone = readTextIfPresent(join(directory, DONE)) !== undefined;
  const text = isDone ? readTextIfPresent(join(directory, PASSWORDS)) : undefined;
  return text === undefined ? undefined : JSON.parse(text) as PostgresPasswords;
}

/** Makes the data folder, the database and the operator's role, unless they are there. */
export async function ensureDataDirectory(setup: PostgresSetup): Promise<PostgresPasswords> {
  const kept = readPasswords(setup.directory);
  if (kept !== undefined) return kept;
  removeIfPresent(dataDirectory(setup));
  const passwords = { superuser: generatePassword(), operator: generatePassword() };
  writeFileAtomically(join(setup.directory, PASSWORDS), JSON.stringify(passwords), { mode: 0o600 });
  await runInitdb(setup, passwords);
  for (const { database, sql } of setupSql(passwords)) await runSingleUser(setup, database, sql);
  writeFileAtomically(join(setup.directory, DONE), "", { mode: 0o600 });
  return passwords;
}

async function runInitdb(setup: PostgresSetup, passwords: PostgresPasswords): Promise<void> {
  const passwordFile = join(workDirectory(setup), "password");
  await Deno.writeTextFile(passwordFile, passwords.superuser, { mode: 0o600 });
  if (setup.uid !== undefined) await Deno.chown(passwordFile, setup.uid, setup.uid);
  try {
    await runAs(setup, setup.binaries.initdb, {
      args: [
        ...["-D", dataDirectory(setup), "--username", SUPERUSER, "--pwfile", passwordFile],
        ...["--auth", "scram-sha-256", "--encoding", "UTF8"],
        ...["--locale", "C", "--no-instructions"],
        ...(setup.binaries.version < BUILTIN_LOCALES ? [] : LOCALE),
      ],
    });
  } finally {
    removeIfPresent(passwordFile);
  }
}

/** Runs SQL without a server: no port, no password, and nobody else inside. */
async function runSingleUser(setup: PostgresSetup, database: string, sql: readonly string[]): Promise<void> {
  await runAs(setup, setup.binaries.postgres, {
    args: ["--single", "-D", dataDirectory(setup), "-j", "-c", "exit_on_error=on", database],
    // With -j a statement ends with a semicolon and an empty line.
    input: sql.map((statement) => `${statement};\n\n`).join(""),
  });
}

async function runAs(
  setup: PostgresSetup,
  program: string,
  { args, input = "" }: { readonly args: readonly string[]; readonly input?: string },
): Promise<void> {
  const process = new Deno.Command(program, {
    args: [...args],
    cwd: workDirectory(setup),
    env: { LC_ALL: "C", TZ: "UTC" },
    ...(setup.uid === undefined ? {} : { uid: setup.uid, gid: setup.uid }),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  // A program that ends early breaks the pipe; its exit code tells the story.
  await writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  const { success, stderr } = await process.output();
  if (success) return;
  const lines = new TextDecoder().decode(stderr).split("\n").filter((line) => line.trim() !== "");
  const line = lines.find((each) => /error|fatal|panic/i.test(each)) ?? lines.at(-1) ?? "no output";
  throw new LocalError(`Cannot set up PostgreSQL in ${setup.directory}: ${line}`);
}

/** Letters and digits only: safe in a URL and in SQL. */
function generatePassword(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

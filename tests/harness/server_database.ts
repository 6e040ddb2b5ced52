import postgres from "postgres";
import { eventually } from "./wait.ts";
import type { Kubectl } from "./kubectl.ts";
import type { Testbed } from "./testbed.ts";

/** The driver's own types are generic beyond need. */
interface Sql {
  unsafe(text: string): Promise<readonly Record<string, unknown>[]>;
  end(options: { timeout: number }): Promise<void>;
}

/** A database with a role of the same name, on the shared PostgreSQL: what stands behind a Database or a Secret. */
export interface ServerDatabase {
  /** Of database and role. */
  readonly name: string;
  readonly host: string;
  readonly port: string;
  /** As the superuser, in that database. */
  sql(text: string): Promise<readonly Record<string, unknown>[]>;
  setPassword(password: string): Promise<void>;
  /** The tables of `public`. */
  tables(): Promise<readonly string[]>;
  /** How many connections that role has there. */
  connections(): Promise<number>;
  url(password: string): string;
  close(): Promise<void>;
}

/** Makes it anew. */
export async function makeServerDatabase(testbed: Testbed, name: string): Promise<ServerDatabase> {
  const admin = connect(testbed.superuserUrl);
  await admin.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await admin.unsafe(`DROP ROLE IF EXISTS ${name}`);
  await admin.unsafe(`CREATE ROLE ${name} LOGIN NOSUPERUSER`);
  await admin.unsafe(`CREATE DATABASE ${name} OWNER ${name}`);
  const url = new URL(testbed.superuserUrl);
  url.pathname = `/${name}`;
  const inside = connect(url.href);
  return {
    name,
    host: url.hostname,
    port: url.port,
    sql: async (text) => [...await inside.unsafe(text)],
    async setPassword(password) {
      await admin.unsafe(`ALTER ROLE ${name} PASSWORD '${password}'`);
    },
    async tables() {
      const rows = await inside.unsafe("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1");
      return rows.map((row) => String(row["tablename"]));
    },
    async connections() {
      const rows = await inside.unsafe(`SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = '${name}'`);
      return Number(rows[0]?.["n"]);
    },
    url: (password) => `postgres://${name}:${password}@${url.hostname}:${url.port}/${name}`,
    async close() {
      await Promise.all([admin.end({ timeout: 1 }), inside.end({ timeout: 1 })]);
    },
  };
}

/** Says in place of a node that the Pod of a Database runs, once it is there. */
export async function makePodReady(kubectl: Kubectl, name: string, isReady = true): Promise<void> {
  await eventually(`Pod ${name} is made`, async () => await kubectl.get("pod", name) !== undefined);
  const status = { phase: "Running", conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] };
  const patch = JSON.stringify({ status });
  await kubectl.ok(["patch", "pod", name, "--subresource=status", "--type=merge", "-p", patch]);
}

function connect(url: string): Sql {
  return postgres(url, { max: 1, fetch_types: false, onnotice() {} }) as unknown as Sql;
}

import { type Config, parseCommandLine } from "../../handlers/config.ts";
import { type RoleScript, roleStatements } from "./database_role.ts";
import { findFreePort } from "../../local/ports.ts";
import { run } from "../../main.ts";
import { Kubectl } from "./kubectl.ts";
import { connect } from "./sql.ts";
import { openTestbed, type OwnTestbed } from "./testbed.ts";
import { eventually } from "./wait.ts";

/** An operator in this process, on a database of its own and a namespace of its own. */
export interface TestOperator {
  readonly testbed: OwnTestbed;
  readonly kubectl: Kubectl;
  readonly namespace: string;
  readonly httpPort: number;
  readonly webhookPort: number;
  /** The operator's role in its database. */
  readonly role: string;
  readonly databaseUrl: string;
  /** One statement as the superuser, in the operator's database. */
  sql(text: string): Promise<readonly Record<string, unknown>[]>;
  /** Stops and starts the operator on the same cluster and database; with other flags than before if they are given. */
  restart(flags?: readonly string[]): Promise<void>;
  stopOperator(): Promise<void>;
  startOperator(flags?: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface OperatorOptions {
  readonly flags?: readonly string[];
  /** What no flag says. */
  readonly config?: Partial<Config>;
  /** Default: the shared one. */
  readonly testbed?: OwnTestbed;
  /** What made the role. Default: `database_role.sql`. */
  readonly roleScript?: RoleScript;
  /** Between the operator and PostgreSQL. */
  readonly databasePort?: (port: number) => number;
}

/**
 * Starts an operator.
 *
 * @param name Of the namespace, which no other file may have, and, with a prefix, of database and role.
 */
export async function startTestOperator(name: string, options: OperatorOptions = {}): Promise<TestOperator> {
  const testbed = options.testbed ?? await openTestbed();
  const database = `tw_${name.replaceAll("-", "_")}`;
  const role = `${database}_operator`;
  const admin = connect(testbed.superuserUrl);
  await admin.unsafe(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  await admin.unsafe(`DROP ROLE IF EXISTS ${role}`);
  await admin.unsafe(`CREATE DATABASE ${database}`);
  await admin.end({ timeout: 1 });
  const sql = connect(urlOf(testbed.superuserUrl, { database }));
  const password = `secret-of-${name}`;
  await sql.unsafe(roleStatements(options.roleScript ?? "database_role.sql", { role, password, database }));
  const kubectl = new Kubectl(testbed, name);
  // Another file's Pods may be bound to a node that runs no more: its namespace would hold them, and us, for ever.
  await kubectl.ok(["create", "namespace", name]);

  const webhookPort = findFreePort();
  const httpPort = findFreePort();
  const direct = new URL(urlOf(testbed.superuserUrl, { database, role, password }));
  direct.port = String((options.databasePort ?? ((port) => port))(Number(direct.port)));
  const databaseUrl = direct.href;
  const process = new OperatorProcess({ testbed, databaseUrl }, [
    ...["--webhook-port", String(webhookPort), "--http-port", String(httpPort), "-n", name, "--instance", name],
  ], options.config);
  const operator: TestOperator = {
    testbed,
    kubectl,
    namespace: name,
    httpPort,
    webhookPort,
    role,
    databaseUrl,
    // The driver's result is an array with more on it; after a query that failed half way, the next one's has holes in it.
    sql: async (text) => [...await sql.unsafe(text)].filter((row) => row !== undefined),
    startOperator: (flags = options.flags) => process.start(flags),
    async stopOperator() {
      await process.stop();
      await webhooksForgotten(kubectl, name);
    },
    async restart(flags = options.flags) {
      await process.stop();
      await process.start(flags);
      if (flags?.some((flag) => /^(--webhooks=)?off$/.test(flag))) await webhooksForgotten(kubectl, name);
    },
    async close() {
      await process.stop();
      await sql.end({ timeout: 1 });
      await testbed.stop();
    },
  };
  await process.start(options.flags);
  return operator;
}

/** The API server hears a moment later that there is nobody to ask any more: until then it refuses what users write. */
async function webhooksForgotten(kubectl: Kubectl, namespace: string): Promise<void> {
  const metadata = { name: "nobody-judges", namespace };
  const table = { apiVersion: "kopf.demo/v1", kind: "DatabaseTable", metadata, spec: {} };
  await eventually("the webhooks are forgotten", async () => {
    return !(await kubectl.apply(table, "--dry-run=server")).stderr.includes("failed calling webhook");
  });
}

interface ProcessConnections {
  readonly testbed: OwnTestbed;
  readonly databaseUrl: string;
}

class OperatorProcess {
  readonly #testbed: OwnTestbed;
  readonly #databaseUrl: string;
  readonly #flags: readonly string[];
  readonly #config: Partial<Config>;
  #running: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  constructor(connections: ProcessConnections, flags: readonly string[], config: Partial<Config> = {}) {
    this.#config = config;
    this.#testbed = connections.testbed;
    this.#databaseUrl = connections.databaseUrl;
    this.#flags = flags;
  }

  async start(flags: readonly string[] = []): Promise<void> {
    const command = parseCommandLine(["-q", ...this.#flags, ...flags], {});
    if (command.kind !== "run") throw new Error(`bad flags: ${JSON.stringify(command)}`);
    const { server, certificateAuthority, clientCertificate, clientKey } = this.#testbed;
    const stop = new AbortController();
    const ready = Promise.withResolvers<void>();
    const ended = run({ ...command.config, ...this.#config }, {
      cluster: { server, certificateAuthority, clientCertificate, clientKey },
      databaseUrl: this.#databaseUrl,
      embeddedCluster: true,
      onReady: ready.resolve,
    }, stop.signal);
    this.#running = { stop, ended };
    await Promise.race([ready.promise, ended]);
  }

  async stop(): Promise<void> {
    this.#running?.stop.abort();
    await this.#running?.ended;
    this.#running = undefined;
  }
}

/** Waits until a condition of an object has a status, and answers the condition. */
export async function condition(
  operator: TestOperator,
  name: string,
  wanted: { readonly type: string; readonly status: string; readonly reason?: string },
): Promise<Record<string, unknown>> {
  return await eventually(`${name} has ${wanted.type}=${wanted.status} ${wanted.reason ?? ""}`, async () => {
    const object = await operator.kubectl.get("databasetable", name) as {
      metadata: { generation: number };
      status?: { conditions?: Record<string, unknown>[] };
    } | undefined;
    return object?.status?.conditions?.find((each) =>
      each["type"] === wanted.type && each["status"] === wanted.status &&
      each["observedGeneration"] === object.metadata.generation &&
      (wanted.reason === undefined || each["reason"] === wanted.reason)
    );
  });
}

/** The columns of a table as `name type [not null] [default]`, in the order of the catalog; empty if there is no table. */
export async function columnsOf(operator: TestOperator, table: string): Promise<readonly string[]> {
  const rows = await operator.sql(
    `SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
       || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') AS line
     FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = to_regclass('public.${table}') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
  );
  return rows.map((row) => String(row["line"]));
}

function urlOf(base: string, change: { database: string; role?: string; password?: string }): string {
  const url = new URL(base);
  url.pathname = `/${change.database}`;
  if (change.role !== undefined) url.username = change.role;
  if (change.password !== undefined) url.password = change.password;
  return url.href;
}

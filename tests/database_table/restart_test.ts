import { assert, assertEquals } from "@std/assert";
import { startTestOperator } from "../harness/operator.ts";
import { TableObjects } from "../harness/table_objects.ts";
import { eventually } from "../harness/wait.ts";

/** More than one page of the list would be slow here; `deno task bench restart` has 10,000. */
const COUNT = 200;
const operator = await startTestOperator("restart");
const { kubectl, namespace, testbed } = operator;
const objects = new TableObjects(operator);

interface Listed {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly resourceVersion: string };
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

async function list(): Promise<Listed["items"]> {
  return (JSON.parse(await kubectl.ok(["get", "databasetables", "-o", "json"])) as Listed).items;
}

async function untilAllReady(): Promise<void> {
  await eventually("all objects are Ready", async () => {
    const items = await list();
    return items.length >= COUNT &&
      items.every(({ status }) =>
        status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True")
      );
  });
}

interface Counted {
  readonly query: string;
  readonly calls: number;
}

/**
 * How often the operator's role ran each kind of statement since the last reset, by its identifier: the text of one that was prepared
 * before the reset is shown with its constants, that of every other without.
 */
async function statements(): Promise<ReadonlyMap<string, Counted>> {
  const rows = await operator.sql(
    `SELECT queryid::text AS id, query, calls::int AS calls FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
     JOIN pg_database d ON d.oid = s.dbid
     WHERE r.rolname = '${operator.role}' AND d.datname = current_database()`,
  );
  return new Map(
    rows.map(({ id, query, calls }) => [
      String(id),
      { query: String(query).replaceAll(/\s+/g, " "), calls: Number(calls) },
    ]),
  );
}

/** Writes of operators in this namespace, Events and webhook probes not counted. */
async function writesInNamespace(): Promise<number> {
  const lines = (await Deno.readTextFile(testbed.auditLogPath)).split("\n").filter((line) => line.endsWith("}"));
  return lines.map((line) =>
    JSON.parse(line) as {
      verb: string;
      userAgent?: string;
      requestURI?: string;
      objectRef?: { namespace?: string; resource?: string };
    }
  ).filter(({ verb, userAgent, objectRef, requestURI }) =>
    userAgent === "tablewright" && ["create", "update", "patch", "delete"].includes(verb) &&
    objectRef?.namespace === namespace && objectRef.resource === "databasetables" && !requestURI?.includes("dryRun")
  ).length;
}

Deno.test("many tables are made, and every status says so", async () => {
  await operator.sql("CREATE EXTENSION pg_stat_statements");
  await operator.sql(`ALTER ROLE ${operator.role} SET pg_stat_statements.track = 'top'`);
  const items = Array.from(
    { length: COUNT },
    (_, index) => objects.manifest(`t${index}`, { columns: [{ ID: "integer" }, { NOTE: "varchar(50)" }] }),
  );
  const { code, stderr } = await kubectl.apply({ apiVersion: "v1", kind: "List", items });
  assertEquals(code, 0, stderr);
  await untilAllReady();
});

/** What is enqueued behind all others is worked on when they are done; answers what ran until then, its own part included. */
async function statementsUntilLast(start: () => Promise<void>): Promise<ReadonlyMap<string, Counted>> {
  await operator.sql("SELECT pg_stat_statements_reset()");
  await start();
  await objects.applied("last", {});
  await kubectl.ok(["delete", "databasetable", "last"]);
  return await statements();
}

Deno.test("a restart asks once for all tables that nobody touched, changes nothing and writes nothing", async () => {
  const before = await list();
  const writes = await writesInNamespace();
  await operator.stopOperator();
  const asked = await statementsUntilLast(() => operator.startOperator());
  // The status of the last object, and its finalizer.
  assertEquals(await writesInNamespace() - writes, 2);
  assertEquals(await list(), before);
  const alone = await statementsUntilLast(() => Promise.resolve());
  const ofRestart = [...asked]
    .map(([id, { query, calls }]) => [query.slice(0, 60), calls - (alone.get(id)?.calls ?? 0)] as const)
    .filter(([query, calls]) =>
      calls > 0 && !/^(BEGIN|COMMIT|ROLLBACK|SELECT pg_catalog.set_config|SELECT \$1$)/.test(query)
    );
  assertEquals(ofRestart.filter(([query]) => !query.startsWith("SELECT")), []);
  // Eight of the registry's gate and the first look; the proof of the webhooks asks about a table of its own.
  const total = ofRestart.reduce((sum, [, calls]) => sum + calls, 0);
  assert(total >= 8 && total <= 20, JSON.stringify(ofRestart));
});

Deno.test("a restart finds what was changed meanwhile, and only that is looked at", async () => {
  await operator.stopOperator();
  await operator.sql("ALTER TABLE t7 DROP COLUMN note");
  await operator.sql("DROP TABLE t8");
  await operator.sql("GRANT SELECT ON t9 TO PUBLIC");
  await operator.sql("SELECT pg_stat_statements_reset()");
  await operator.startOperator();
  for (const table of ["t7", "t8"]) {
    await eventually(`${table} is as before`, async () => {
      const rows = await operator.sql(
        `SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('public.${table}') AND attname = 'note'`,
      );
      return rows.length === 1;
    });
  }
  const asked = await statements();
  assertEquals([...asked.values()].filter(({ calls }) => calls >= COUNT / 3), []);
});

Deno.test("the operator stops in order", () => operator.close());

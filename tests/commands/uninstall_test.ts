import { assertEquals, assertStringIncludes } from "@std/assert";
import { importCommand } from "../../handlers/commands/import/command.ts";
import { planCommand, type PlanOptions } from "../../handlers/commands/plan/command.ts";
import { uninstallCommand, type UninstallOptions } from "../../handlers/commands/uninstall/command.ts";
import { captureTerminal } from "../harness/captured_terminal.ts";
import { Kubectl } from "../harness/kubectl.ts";
import { condition, startTestOperator } from "../harness/operator.ts";
import { startTestbed } from "../harness/testbed.ts";
import { eventually } from "../harness/wait.ts";

/** Of its own: a CRD is deleted. */
const testbed = await startTestbed();
const administrator = new Kubectl(testbed, "default");
const operator = await startTestOperator("uninstall", {
  testbed,
  flags: ["--leader-election-namespace", "default"],
});
const { kubectl, databaseUrl } = operator;
const { signal } = new AbortController();
const TABLES = ["first", "second", "third"];

async function uninstall(change: Partial<UninstallOptions> = {}) {
  const terminal = captureTerminal({});
  const { server, certificateAuthority, clientCertificate, clientKey } = testbed;
  const cluster = { server, certificateAuthority, clientCertificate, clientKey };
  const options = { instance: "uninstall", yes: false, force: false, ...change };
  const code = await uninstallCommand(options, { terminal, cluster }, signal);
  return { code, stdout: terminal.stdout.join("\n"), stderr: terminal.stderr.join("\n") };
}

async function plan(manifests: string, change: Partial<PlanOptions> = {}) {
  const terminal = captureTerminal({ DATABASE_URL: databaseUrl }, manifests);
  const { namespace } = operator;
  const options = { files: ["-"], output: "text", namespace, allowedFunctions: new Set<string>(), ...change } as const;
  const code = await planCommand(options, terminal, signal);
  return { code, text: terminal.stdout.join("\n") };
}

const TWO_COLUMNS: readonly unknown[] = [{ ID: "integer" }, { NOTE: "text" }];

function table(name: string, columns = TWO_COLUMNS, change: Readonly<Record<string, unknown>> = {}): unknown {
  const spec = { tableName: name, columns, primaryKey: "ID", ...change };
  return { apiVersion: "kopf.demo/v1", kind: "DatabaseTable", metadata: { name }, spec };
}

Deno.test("plan knows from the registry whose table it is, and exits with what there is to do", async () => {
  for (const name of TABLES) {
    assertEquals((await plan(JSON.stringify(table(name)))).code, 2);
    assertEquals((await kubectl.apply(table(name))).code, 0);
    await condition(operator, name, { type: "Ready", status: "True" });
    await operator.sql(`INSERT INTO ${name} SELECT n, 'row ' || n FROM generate_series(1, 100) n`);
  }
  const same = await plan(JSON.stringify(table("first")));
  assertEquals(same, { code: 0, text: "-- uninstall/first: table public.first: nothing to do" });
  const wider = await plan(JSON.stringify(table("first", [{ ID: "integer" }, { NOTE: "text" }, { MORE: "text" }])));
  assertEquals(wider.code, 2);
  assertStringIncludes(wider.text, `ALTER TABLE "public"."first" ADD COLUMN "more" text;\n--   ACCESS EXCLUSIVE lock`);
  const narrower = await plan(JSON.stringify(table("first", [{ ID: "integer" }])));
  assertEquals(narrower.code, 3);
  assertStringIncludes(narrower.text, "--   spec.columns: ");
  const { stderr } = await kubectl.apply(table("first", [{ ID: "integer" }]), "--dry-run=server");
  const [, refusal = "none"] = /-- {3}(spec\.columns: .*)/.exec(narrower.text) ?? [];
  assertStringIncludes(stderr, refusal);
});

Deno.test("plan refuses a table of another object, and names that object", async () => {
  const thief = JSON.parse(JSON.stringify(table("first")).replace('{"name":"first"}', '{"name":"thief"}'));
  const { code, text } = await plan(JSON.stringify(thief));
  assertEquals(code, 3);
  assertStringIncludes(text, 'spec.tableName: table "first" belongs to DatabaseTable uninstall/first');
});

Deno.test("plan refuses two objects of its files that want one table, and what is no API of ours", async () => {
  const twins = [table("new-one"), {
    ...table("x") as object,
    metadata: { name: "new-two" },
    apiVersion: "kopf.demo/v2",
  }];
  const rival = JSON.parse(JSON.stringify(table("fresh")).replace('{"name":"fresh"}', '{"name":"rival"}'));
  const { code, text } = await plan(
    [table("fresh"), rival, ...twins].map((each) => JSON.stringify(each)).join("\n---\n"),
  );
  assertEquals(code, 3);
  assertStringIncludes(
    text,
    "spec.tableName: table public.fresh is wanted by DatabaseTable uninstall/fresh of these files",
  );
  assertStringIncludes(text, 'apiVersion: "kopf.demo/v2" is not one of "kopf.demo/v1"');
});

Deno.test("plan judges no table against another server than its own, unless it is said which one it is", async () => {
  const elsewhere = (fields: Record<string, unknown>) => JSON.stringify(table("elsewhere", TWO_COLUMNS, fields));
  for (const fields of [{ databaseRef: { name: "orders" } }, { connectionSecretRef: { name: "orders" } }]) {
    const { code, text } = await plan(elsewhere(fields));
    assertEquals(code, 1, text);
    assertStringIncludes(text, `Cannot ask the server of spec.${Object.keys(fields)[0]} (orders)`);
    assertStringIncludes(text, "give --server orders");
    const asked = await plan(elsewhere(fields), { server: "orders" });
    assertEquals(asked.code, 2, asked.text);
    assertEquals((await plan(elsewhere(fields), { server: "others" })).code, 1);
  }
  assertEquals((await plan(elsewhere({ databaseRef: { name: "orders" }, primaryKey: "MISSING" }))).code, 3);
  const own = await plan(JSON.stringify(table("first")), { server: "orders" });
  assertEquals(own.code, 1);
  assertStringIncludes(own.text, "with --server orders DATABASE_URL is that of another one");
});

Deno.test("plan says that a plan will wait for a person, under the hash that the status then has", async () => {
  const more = [...TWO_COLUMNS, { MORE: "text" }];
  assertEquals(
    (await plan(JSON.stringify(table("first", more, { approval: "Destructive" })))).text.includes("approv"),
    false,
  );
  const waiting = table("first", more, { approval: "Always" });
  const { code, text } = await plan(JSON.stringify(waiting));
  assertEquals(code, 2);
  assertStringIncludes(text, "1 statement, after an approval");
  assertEquals((await kubectl.apply(waiting)).code, 0);
  await condition(operator, "first", { type: "ApprovalRequired", status: "True" });
  const { status } = await kubectl.get("databasetable", "first") as {
    readonly status: { readonly plan: { hash: string } };
  };
  assertStringIncludes(
    text,
    `plan ${status.plan.hash} waits for approval: kubectl annotate --overwrite databasetable first `,
  );
  const annotations = { "kopf.demo/approve-plan": status.plan.hash };
  const approved = { ...waiting as object, metadata: { name: "first", annotations } };
  assertEquals((await plan(JSON.stringify(approved))).text.includes("approval"), false);
  assertEquals((await kubectl.apply(table("first"))).code, 0);
  await condition(operator, "first", { type: "Ready", status: "True" });
});

Deno.test("plan without a database that answers could not judge", async () => {
  const terminal = captureTerminal(
    { DATABASE_URL: "postgres://a:hidden@127.0.0.1:1/b" },
    JSON.stringify(table("first")),
  );
  const code = await planCommand(
    { files: ["-"], output: "json", namespace: "default", allowedFunctions: new Set<string>() },
    terminal,
    signal,
  );
  const [found] = JSON.parse(terminal.stdout.join("")).tables;
  assertEquals([code, found.result, terminal.stdout.join("").includes("hidden")], [1, "unknown", false]);
});

Deno.test("what import prints is what kubectl applies: the table is adopted as it is", async () => {
  await operator.sql(
    `CREATE TABLE "Old Users" ("no" integer PRIMARY KEY, y text DEFAULT 'yes', "on" text DEFAULT '010', "1.50" text,
       "null" text DEFAULT '~', "2020-01-01" text, "0x1F" text DEFAULT '1e3', "a: b" text, "12:30" text DEFAULT '12:30')`,
  );
  await operator.sql(`ALTER TABLE "Old Users" OWNER TO ${operator.role}`);
  const terminal = captureTerminal({ DATABASE_URL: databaseUrl });
  assertEquals(
    await importCommand(
      { schema: "public", tables: ['"Old Users"'], allowedFunctions: new Set<string>() },
      terminal,
      signal,
    ),
    0,
  );
  const yaml = terminal.stdout.join("\n");
  const { code, stderr } = await kubectl.run(["apply", "-f", "-"], yaml);
  assertEquals(code, 0, `${stderr}\n${yaml}`);
  await condition(operator, "old-users", { type: "Ready", status: "True" });
  const rows = await operator.sql("SELECT origin FROM tablewright.owned_table WHERE table_name = 'Old Users'");
  assertEquals(rows, [{ origin: "adopted" }]);
  assertEquals((await plan(yaml)).code, 0);
  await kubectl.ok(["delete", "databasetable", "old-users"]);
});

Deno.test("import of a table that is managed already says whose it is", async () => {
  const terminal = captureTerminal({ DATABASE_URL: databaseUrl });
  assertEquals(
    await importCommand({ schema: "public", tables: ["first"], allowedFunctions: new Set<string>() }, terminal, signal),
    2,
  );
  assertStringIncludes(terminal.stderr.join(), "belongs to DatabaseTable uninstall/first");
});

Deno.test("uninstall refuses while an operator holds the Lease", async () => {
  const { code, stderr } = await uninstall({ yes: true });
  assertEquals(code, 3);
  assertStringIncludes(stderr, "holds the Lease");
  assertEquals((await administrator.run(["get", "validatingwebhookconfiguration", "uninstall"])).code, 0);
});

Deno.test("uninstall lists what it would remove, removes it with --yes, and then finds nothing", async () => {
  // As after kill -9: the configurations stay, the Lease of an operator that ended in order is free.
  const kept = await administrator.ok(["get", "validatingwebhookconfiguration", "uninstall", "-o", "json"]);
  await operator.stopOperator();
  const { metadata: { name }, ...configuration } = JSON.parse(kept);
  await administrator.ok(["create", "-f", "-"], JSON.stringify({ ...configuration, metadata: { name } }));
  const listed = await uninstall();
  assertEquals(listed.code, 2);
  for (const what of ["/uninstall would be removed", ...TABLES.map((each) => `uninstall/${each} would be removed`)]) {
    assertStringIncludes(listed.stdout, what);
  }
  assertEquals((await uninstall({ yes: true })).code, 0);
  assertEquals(await uninstall(), { code: 0, stdout: "nothing to remove", stderr: "" });
  assertEquals((await administrator.run(["get", "validatingwebhookconfiguration", "uninstall"])).code, 1);
});

Deno.test("after uninstall the CRD can be deleted, and every row is there", async () => {
  await administrator.ok(["delete", "crd", "databasetables.kopf.demo", "--timeout=60s"]);
  await eventually(
    "the objects are gone",
    async () => (await administrator.run(["get", "databasetables", "-A"])).code !== 0,
  );
  for (const name of TABLES) {
    assertEquals(await operator.sql(`SELECT count(*)::int AS rows FROM ${name}`), [{ rows: 100 }]);
  }
  assertEquals((await uninstall()).code, 0);
});

Deno.test("the operator stops in order", () => operator.close());

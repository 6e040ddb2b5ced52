import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { deleteNamespace } from "../harness/namespace_end.ts";
import { condition, startTestOperator } from "../harness/operator.ts";
import { makePodReady, makeServerDatabase } from "../harness/server_database.ts";
import { serverObjects } from "../harness/server_objects.ts";
import { reasonsOf, TableObjects, warningsOf } from "../harness/table_objects.ts";
import { openTestbed } from "../harness/testbed.ts";
import { Kubectl } from "../harness/kubectl.ts";
import { eventually } from "../harness/wait.ts";

/**
 * Tables in the servers of Databases. There is neither a node nor a network to Services here: the test says that Pods are Ready, and
 * `--database-address` tells the operator where the servers are; Secrets, roles and databases are those of the Database.
 */
const testbed = await openTestbed();
const [orders, stock] = [
  await makeServerDatabase(testbed, "tw_ref_orders"),
  await makeServerDatabase(testbed, "tw_ref_stock"),
];
const other = "servers-other";
const address = `${orders.host}:${orders.port}`;
const operator = await startTestOperator("servers", {
  testbed,
  flags: ["orders", "stock"].flatMap((name) => ["--database-address", `servers/${name}=${address}`]).concat(
    "-n",
    other,
  ),
});
const { kubectl, namespace } = operator;
const tables = new TableObjects(operator);
const servers = serverObjects(kubectl, namespace);
const elsewhere = new Kubectl(testbed, other);
const login = (name: string) => ({ type: "postgres", auth: { database: name, username: name } });

/** The role gets the password that was made for it, as the server's first start would do, and the Database is Ready. */
async function start(name: string, server: typeof orders): Promise<void> {
  await makePodReady(kubectl, name);
  await server.setPassword((await servers.secret(`${name}-credentials`))["password"] ?? "");
  await servers.ready(name);
}

async function reasonOf(name: string): Promise<unknown> {
  const object = await kubectl.get("databasetable", name) as
    | { status?: { conditions?: { type: string; reason: string }[] } }
    | undefined;
  return object?.status?.conditions?.find(({ type }) => type === "Ready")?.reason;
}

async function gone(name: string): Promise<void> {
  await servers.gone("databasetable", name);
}

Deno.test("a table waits for its Database to exist, then for its server, then it is made there", async () => {
  const shown = await tables.accepted("early", { databaseRef: { name: "orders" } });
  assertStringIncludes(shown, "Database servers/orders does not exist");
  await condition(operator, "early", { type: "Ready", status: "False", reason: "DatabaseNotFound" });
  await servers.applied("orders", login(orders.name));
  await condition(operator, "early", { type: "Ready", status: "False", reason: "DatabaseNotReady" });
  assertEquals(await orders.tables(), []);
  await start("orders", orders);
  await tables.ready("early");
  assertEquals(await orders.tables(), ["early"]);
  assertEquals(await operator.sql("SELECT to_regclass('public.early') AS oid"), [{ oid: null }]);
  const object = await kubectl.get("databasetable", "early") as { status: { observed: Record<string, unknown> } };
  assertEquals(object.status.observed["server"], "Database servers/orders");
});

Deno.test("a change of such a table is judged against its own server", async () => {
  await orders.sql("INSERT INTO early VALUES (1)");
  const denied = await tables.denied("early", {
    databaseRef: { name: "orders" },
    columns: [{ ID: "integer" }, { NOTE: { type: "text", notNull: true } }],
  });
  assertMatch(denied.join(), /NOTE/);
  await tables.applied("early", { databaseRef: { name: "orders" }, columns: [{ ID: "integer" }, { NOTE: "text" }] });
});

Deno.test("which database a table is in cannot be set, changed or removed", async () => {
  await tables.applied("plain", {});
  for (const [name, spec] of [["plain", { databaseRef: { name: "orders" } }], ["early", {}]] as const) {
    const { stderr, code } = await tables.apply(name, spec);
    assertEquals([code, /databaseRef.*immutable|immutable.*databaseRef/.test(stderr)], [1, true], stderr);
  }
  const both = await tables.apply("both", { databaseRef: { name: "a" }, connectionSecretRef: { name: "b" } });
  assertStringIncludes(both.stderr, "at most one of databaseRef and connectionSecretRef");
});

Deno.test("a Database of another type is refused", async () => {
  await servers.applied("documents", { type: "mongo" });
  const denied = await tables.denied("document", { databaseRef: { name: "documents" } });
  assertMatch(denied.join(), /spec.databaseRef: .*type mongo: tables are made in type postgres only/);
});

Deno.test("another namespace needs the consent of the Database, which may be taken back", async () => {
  const manifest = {
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: { name: "guest", namespace: other },
    spec: {
      tableName: "guest",
      columns: [{ ID: "integer" }],
      primaryKey: "ID",
      databaseRef: { name: "orders", namespace },
    },
  };
  const refused = await elsewhere.apply(manifest);
  assertMatch(
    reasonsOf(refused.stderr).join(),
    /does not exist, or does not allow tables from namespace servers-other/,
  );
  const unknown = await elsewhere.apply({
    ...manifest,
    spec: { ...manifest.spec, databaseRef: { name: "no", namespace } },
  });
  assertEquals(refused.stderr.replaceAll("servers/orders", "servers/no"), unknown.stderr);

  const selector = { matchLabels: { "kubernetes.io/metadata.name": other } };
  await servers.applied("orders", {
    ...login(orders.name),
    allowedTables: { namespaces: { from: "Selector", selector } },
  });
  await eventually("it is allowed", async () => (await elsewhere.apply(manifest)).code === 0);
  await elsewhere.ok(["wait", "--for=condition=Ready", "databasetable/guest", "--timeout=60s"]);

  await servers.applied("orders", login(orders.name));
  await elsewhere.ok(["annotate", "databasetable", "guest", "kopf.demo/reconnect=now"]);
  await elsewhere.ok(
    [
      "wait",
      '--for=jsonpath={.status.conditions[?(@.type=="Ready")].reason}=DatabaseRefNotPermitted',
      "databasetable/guest",
      "--timeout=60s",
    ],
  );
  await elsewhere.ok(["delete", "databasetable", "guest", "--timeout=60s"]);
  assertEquals((await orders.tables()).includes("guest"), true);
});

Deno.test("one server that is down concerns no other one, and Retain is the way out of it", async () => {
  await servers.applied("stock", login(stock.name));
  await start("stock", stock);
  // Nobody has made a registry there, and the first review is judged by its catalog all the same.
  const columns = [{ ID: "integer" }, { PLACE: "no_such_type" }];
  assertMatch(
    (await tables.denied("goods", { databaseRef: { name: "stock" }, columns })).join(),
    /PLACE.*no_such_type/,
  );
  const shown = await tables.applied("goods", { databaseRef: { name: "stock" } });
  assertEquals([shown.includes("CREATE TABLE"), shown.includes("cannot be asked")], [true, false], shown);
  await stock.sql(`ALTER ROLE ${stock.name} NOLOGIN`);
  await stock.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${stock.name}'`);
  await tables.accepted("more-goods", { databaseRef: { name: "stock" } });
  await condition(operator, "more-goods", { type: "DatabaseReachable", status: "False" });
  await tables.applied("more-orders", { databaseRef: { name: "orders" } });

  await kubectl.ok(["delete", "databasetable", "goods", "--wait=false"]);
  const retain = JSON.stringify({ spec: { deletionPolicy: "Retain" } });
  await kubectl.ok(["patch", "databasetable", "goods", "--type=merge", "-p", retain]);
  await gone("goods");
  assertEquals(await stock.tables(), ["goods"]);
  await stock.sql(`ALTER ROLE ${stock.name} LOGIN`);
});

Deno.test("a rotated password is read again after a login was refused", async () => {
  await stock.setPassword("another");
  await stock.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${stock.name}'`);
  await tables.accepted("rotated", { databaseRef: { name: "stock" } });
  await condition(operator, "rotated", { type: "DatabaseReachable", status: "False" });
  const { password = "" } = await servers.secret("stock-credentials");
  await stock.setPassword(password);
  await tables.ready("rotated");
});

Deno.test("a Database that holds tables cannot be deleted by accident", async () => {
  const denied = await kubectl.run(["delete", "databases.zalando.org", "stock"]);
  assertEquals(denied.code, 1);
  assertStringIncludes(denied.stderr, "holds the tables of these DatabaseTables: servers/more-goods, servers/rotated");
});

Deno.test("deleting the objects drops their tables, and closes the connections that only they used", async () => {
  await eventually("the pool is in use", async () => await stock.connections() > 0);
  await kubectl.ok(["delete", "databasetable", "more-goods", "rotated", "--timeout=60s"]);
  assertEquals(await stock.tables(), ["goods"]);
  await eventually("the pool is closed", async () => await stock.connections() === 0);
  await kubectl.ok(["delete", "databases.zalando.org", "stock", "--timeout=60s"]);
});

Deno.test("a table whose Database is gone for good is released with an event", async () => {
  await operator.stopOperator();
  await kubectl.ok(["delete", "databases.zalando.org", "orders", "--timeout=60s"]);
  await operator.startOperator();
  await kubectl.ok(["delete", "databasetable", "early", "more-orders", "--timeout=60s"]);
  assertEquals(await orders.tables(), ["early", "guest", "more_orders"]);
  await eventually("it is told", async () => (await servers.events("early")).includes("TableReleased"));
});

Deno.test("a restart takes up the servers that objects name, and nothing was said that is secret", async () => {
  await operator.restart();
  // The garbage collector takes it a moment behind its Database; the next one has a Pod of its own.
  await eventually("the Pod of before is gone", async () => (await kubectl.get("pod", "orders")) === undefined);
  await servers.applied("orders", login(orders.name));
  await start("orders", orders);
  await tables.applied("later", { databaseRef: { name: "orders" } });
  await operator.restart();
  await tables.applied("later", { databaseRef: { name: "orders" }, columns: [{ ID: "integer" }, { NOTE: "text" }] });
  assertEquals(await reasonOf("later"), "Reconciled");
  const said = await tables.everythingSaid();
  const { password = "?" } = await servers.secret("orders-credentials");
  assertEquals([said.includes(password), warningsOf(said)], [false, []]);
});

Deno.test("a namespace with servers and tables goes away as a whole", async () => {
  await deleteNamespace(kubectl, namespace);
  await operator.close();
  await Promise.all([orders.close(), stock.close()]);
});

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connectionsOf } from "../harness/connections.ts";
import { deleteNamespace } from "../harness/namespace_end.ts";
import { condition, startTestOperator } from "../harness/operator.ts";
import { OperatorProcess } from "../harness/operator_process.ts";
import { makeServerDatabase } from "../harness/server_database.ts";
import { TableObjects } from "../harness/table_objects.ts";
import { openTestbed } from "../harness/testbed.ts";
import { startTlsServer } from "../harness/tls_server.ts";
import { eventually } from "../harness/wait.ts";

/** Tables in servers that a Secret names, over real connections. */
const testbed = await openTestbed();
const server = await makeServerDatabase(testbed, "tw_secret_shop");
const tls = await startTlsServer(["localhost"]);
const encrypted = await makeServerDatabase({ ...testbed, superuserUrl: tls.superuserUrl }, "tw_secret_tls");
const operator = await startTestOperator("secrets", { testbed });
const { kubectl, namespace } = operator;
const tables = new TableObjects(operator);
const PASSWORDS = ["hush-first", "hush-second", "hush-tls", "hush-wrong"] as const;
const [first, second, third, wrong] = PASSWORDS;
await server.setPassword(first);
await encrypted.setPassword(third);

async function secret(name: string, stringData: Readonly<Record<string, string>>): Promise<void> {
  const manifest = { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, stringData };
  // Replaced as a whole, so that a key which is no more there is gone.
  await kubectl.run(["delete", "secret", name, "--ignore-not-found"]);
  assertEquals((await kubectl.apply(manifest)).code, 0);
}

function binding(password: string): Record<string, string> {
  const { host, port, name } = server;
  return { type: "postgresql", host, port, username: name, password, database: name };
}

function encryptedUri(host: string): string {
  const url = new URL(encrypted.url(third));
  url.hostname = host;
  return url.href;
}

/** A server that takes connections and never says a word. */
function listenSilently(): AsyncDisposable & { readonly port: number; connections(): number; mostAtOnce(): number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let most = 0;
  const hold = async (connection: Deno.Conn) => {
    open.add(connection);
    most = Math.max(most, open.size);
    await connection.readable.pipeTo(new WritableStream()).catch(() => {});
    open.delete(connection);
  };
  const listening = (async () => {
    for await (const connection of connectionsOf(listener)) void hold(connection);
  })();
  return {
    port: listener.addr.port,
    connections: () => open.size,
    mostAtOnce: () => most,
    async [Symbol.asyncDispose]() {
      listener.close();
      await listening;
    },
  };
}

const by = (name: string, key?: string) => ({ connectionSecretRef: { name, ...(key === undefined ? {} : { key }) } });

Deno.test("a Secret names a server by a URI or by the keys of a Service Binding", async () => {
  await secret("uri", { uri: server.url(first) });
  await secret("dsn", { dsn: server.url(first), uri: "not this one" });
  await secret("binding", binding(first));
  await tables.applied("by-uri", by("uri"));
  await tables.applied("by-key", by("dsn", "dsn"));
  await tables.applied("by-binding", by("binding"));
  assertEquals(await server.tables(), ["by_binding", "by_key", "by_uri"]);
  const object = await kubectl.get("databasetable", "by-key") as { status: { observed: Record<string, unknown> } };
  assertEquals(object.status.observed["server"], "Secret secrets/dsn[dsn]");
});

Deno.test("two Secrets of one server know each other's tables", async () => {
  const taken = await tables.denied("thief", { ...by("binding"), tableName: "by_uri" });
  assertMatch(taken.join(), /by-uri/);
});

Deno.test("a table waits for its Secret, and one that cannot be used is told without what it holds", async () => {
  assertStringIncludes(await tables.accepted("late", by("late")), "Secret secrets/late does not exist");
  await condition(operator, "late", { type: "Ready", status: "False", reason: "SecretNotFound" });
  await secret("late", { uri: `postgres://${server.name}@${server.host}:${server.port}/${server.name}` });
  assertStringIncludes(await tables.message("late", "InvalidConnectionSecret"), "comes without a password");
  await secret("late", { uri: testbed.superuserUrl });
  assertMatch(await tables.message("late", "SuperuserRefused"), /superuser/);
  await secret("late", { uri: server.url(first) });
  await kubectl.ok(["annotate", "databasetable", "late", "kopf.demo/reconnect=1"]);
  await tables.ready("late");
});

Deno.test("sslmode=verify-full verifies the server with the authority in the Secret", async () => {
  const uri = encryptedUri("localhost");
  await secret("tls", { uri, sslmode: "verify-full", "ca.crt": tls.authority });
  await tables.applied("secure", by("tls"));
  assertEquals(
    await encrypted.sql(
      "SELECT bool_and(ssl) AS all FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'tw_secret_tls'",
    ),
    [{ all: true }],
  );
  await secret("wrong-authority", { uri, "ca.crt": tls.otherAuthority });
  await tables.accepted("insecure", by("wrong-authority"));
  assertMatch(await tables.message("insecure", "DatabaseUnreachable"), /certificate is not trusted/);
  await secret("wrong-host", { uri: encryptedUri("127.0.0.1"), "ca.crt": tls.authority });
  await tables.accepted("misnamed", by("wrong-host"));
  assertMatch(await tables.message("misnamed", "DatabaseUnreachable"), /certificate is not trusted/);
  assertEquals(await encrypted.tables(), ["secure"]);
});

Deno.test("a password that changes is read again, after a refused login or when somebody asks for it", async () => {
  await server.setPassword(second);
  await server.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${server.name}'`);
  await tables.accepted("by-uri", { ...by("uri"), columns: [{ ID: "integer" }, { NOTE: "text" }] });
  await condition(operator, "by-uri", { type: "DatabaseReachable", status: "False" });
  await secret("uri", { uri: server.url(second) });
  await tables.ready("by-uri");
  await secret("binding", binding(second));
  await kubectl.ok(["annotate", "databasetable", "by-binding", "kopf.demo/reconnect=1"]);
  await tables.applied("by-binding", { ...by("binding"), columns: [{ ID: "integer" }, { NOTE: "text" }] });
});

Deno.test("a reference that was changed past admission is refused by the loop, and the table stays", async () => {
  const before = await server.tables();
  const elsewhere = JSON.stringify({ status: { observed: { server: "Database secrets/former" } } });
  await kubectl.ok(["patch", "databasetable", "by-uri", "--subresource=status", "--type=merge", "-p", elsewhere]);
  assertStringIncludes(await tables.message("by-uri", "DatabaseChanged"), "the table is in Database secrets/former");
  await kubectl.ok(["delete", "databasetable", "by-uri", "--wait=false"]);
  await kubectl.ok([
    "patch",
    "databasetable",
    "by-uri",
    "--type=merge",
    "-p",
    JSON.stringify({ spec: { deletionPolicy: "Retain" } }),
  ]);
  await eventually("it is gone", async () => await kubectl.get("databasetable", "by-uri") === undefined);
  assertEquals(await server.tables(), before);
});

Deno.test("a Secret that goes together with its tables still serves to drop them", async () => {
  await kubectl.ok(["delete", "secret/binding", "databasetable/by-binding", "--timeout=60s"]);
  await eventually("the table is gone", async () => !(await server.tables()).includes("by_binding"));
});

Deno.test("without the Secret, Retain lets an object go and leaves its table", async () => {
  await secret("lost", { uri: server.url(second) });
  await tables.applied("orphan", by("lost"));
  await kubectl.ok(["delete", "secret", "lost"]);
  await operator.restart();
  await kubectl.ok(["delete", "databasetable", "orphan", "--wait=false"]);
  await eventually("it says why it waits", async () => {
    const object = await kubectl.get("databasetable", "orphan") as { status: { message: string } } | undefined;
    return object?.status.message.includes("Secret secrets/lost does not exist");
  });
  await kubectl.ok([
    "patch",
    "databasetable",
    "orphan",
    "--type=merge",
    "-p",
    JSON.stringify({ spec: { deletionPolicy: "Retain" } }),
  ]);
  await eventually("it is gone", async () => await kubectl.get("databasetable", "orphan") === undefined);
  assertEquals((await server.tables()).includes("orphan"), true);
});

Deno.test("an object whose server never let us make anything goes, since nothing can have been made", async () => {
  const unused = await makeServerDatabase(testbed, "tw_secret_unused");
  const asSuperuser = new URL(testbed.superuserUrl);
  asSuperuser.pathname = `/${unused.name}`;
  await secret("superuser", { uri: asSuperuser.href });
  await tables.accepted("powerless", by("superuser"));
  assertStringIncludes(await tables.message("powerless", "SuperuserRefused"), "Cannot work as the superuser");
  await kubectl.ok(["delete", "databasetable", "powerless", "--timeout=60s"]);
  assertEquals(await unused.tables(), []);
  await unused.close();
});

/** Waits until objects are not Ready for a reason. */
async function allSay(names: readonly string[], reason: string): Promise<void> {
  const ready = `--for=jsonpath={.status.conditions[?(@.type=="Ready")].reason}=${reason}`;
  await kubectl.ok(["wait", ready, "databasetable", ...names, "--timeout=60s"]);
}

Deno.test("a server that says nothing holds nobody up: one connection asks it, whatever waits for it", async () => {
  await using silent = listenSilently();
  const names = Array.from({ length: 16 }, (_, index) => `mute-${index}`);
  // Without the Secret first, so that no review asks the server, too.
  const manifests = names.map((name) => tables.manifest(name, by("mute")));
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests });
  await kubectl.ok(["apply", "-f", "-"], list);
  await allSay(names, "SecretNotFound");
  await secret("mute", { uri: `postgres://a:b@127.0.0.1:${silent.port}/db` });
  await eventually("the server is asked", () => silent.connections() > 0);
  await tables.applied("heard", by("uri"));
  await allSay(names, "DatabaseUnreachable");
  assertEquals(silent.mostAtOnce(), 1);
});

Deno.test("without DATABASE_URL every table must name its database; from a Pod no Secret leads back into it", async () => {
  await operator.stopOperator();
  const { kubeconfigPath } = testbed;
  const flags = ["-n", namespace, "--webhooks", "off", "--no-crds", "--standalone"];
  const limited = new OperatorProcess({ name: "nameless", kubeconfigPath, databaseUrl: "", flags, inPod: true });
  try {
    await limited.ready();
    await tables.accepted("nowhere", {});
    assertStringIncludes(
      await tables.message("nowhere", "NoDefaultDatabase"),
      "this operator has no database of its own",
    );
    await secret("inside", { uri: server.url(second) });
    await tables.accepted("inside", by("inside"));
    assertStringIncludes(await tables.message("inside", "DatabaseUnreachable"), "machine of the operator");
  } finally {
    await limited.close();
  }
  assertEquals(limited.log.filter(({ level }) => level === "error"), []);
});

Deno.test("nothing that users read holds a password", async () => {
  await operator.startOperator();
  await secret("bad", { uri: server.url(wrong) });
  await tables.accepted("bad", by("bad"));
  await condition(operator, "bad", { type: "DatabaseReachable", status: "False" });
  const said = await tables.everythingSaid();
  assertEquals(PASSWORDS.filter((password) => said.includes(password)), []);
});

Deno.test("a namespace with Secrets and tables goes away as a whole", async () => {
  await deleteNamespace(kubectl, namespace);
  await operator.close();
  await Promise.all([server.close(), encrypted.close()]);
  await tls[Symbol.asyncDispose]();
});

// Runs in a network namespace of its own, in which the ports of an operator are free: see tests/documentation/documented_commands_test.ts.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { cacheRoot } from "../../local/state.ts";
import { DocumentedSection } from "../harness/documented_commands.ts";
import { DocumentShell } from "../harness/document_shell.ts";
import { connect } from "../harness/sql.ts";
import { eventually } from "../harness/wait.ts";

const CLONE = fromFileUrl(new URL("../..", import.meta.url));
const SAMPLE = "manifests/samples/website-users.yaml";

const readme = new DocumentedSection("README.md", "Tablewright");
const home = await Deno.makeTempDir({ prefix: "tablewright-reader-" });
const clone = join(home, "clone");
let shell: DocumentShell;
let run: Deno.ChildProcess;
let databaseUrl = "";
const said: string[] = [];

/** What git would clone, with what is not committed yet. */
async function copyClone(): Promise<void> {
  await Deno.chmod(home, 0o755);
  await Deno.mkdir(clone);
  const script = 'git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$0"';
  const { success, stderr } = await new Deno.Command("sh", { args: ["-c", script, clone], cwd: CLONE }).output();
  assertEquals(success, true, new TextDecoder().decode(stderr));
}

/** The programs of this machine, and nothing of what other runs left. */
async function makeCache(): Promise<string> {
  const cache = join(home, "cache");
  await Deno.mkdir(cache);
  for (const name of ["bin", "postgres"]) await Deno.symlink(join(cacheRoot(), name), join(cache, name));
  return cache;
}

async function listen(stream: ReadableStream<Uint8Array>): Promise<void> {
  for await (const line of createInterface({ input: Readable.from(stream) })) said.push(line);
}

/** What the banner says behind a word. */
function banner(start: string): string | undefined {
  return said.find((line) => line.trim().startsWith(start))?.trim().slice(start.length);
}

async function edit(path: string, change: (text: string) => string): Promise<void> {
  const file = join(clone, path);
  await Deno.writeTextFile(file, change(await Deno.readTextFile(file)));
}

function manifest(name: string, spec: object): string {
  return JSON.stringify({ apiVersion: "kopf.demo/v1", kind: "DatabaseTable", metadata: { name }, spec });
}

async function typed(text: string): Promise<string> {
  const { stdout, stderr } = await shell.type({ file: import.meta.url, heading: "", line: 0, text });
  return stdout + stderr;
}

Deno.test("the first command of the README starts everything, and says what to type", async () => {
  await copyClone();
  const env = { TABLEWRIGHT_CACHE: await makeCache(), KUBECONFIG: "", DATABASE_URL: "" };
  await using first = await DocumentShell.open({ folder: clone, kubectlPath: "kubectl", env });
  run = first.start(readme.take("npx -y deno@2.9.6 task run"));
  void listen(run.stdout);
  void listen(run.stderr);
  const dead = run.status.then(({ code }) => {
    throw new Error(`it ended with ${code}: ${said.join("\n")}`);
  });
  const text = await Promise.race([
    eventually("the banner", () => banner("export KUBECONFIG="), { withinMs: 180_000 }),
    dead,
  ]);
  databaseUrl = (await Deno.readTextFile(join(clone, ".local/database_url"))).trim();
  const kubectlPath = said.find((line) => line.includes(` apply -f ${SAMPLE}`))?.trim().split(" ")[0] ?? "kubectl";
  assertEquals(text, join(clone, ".local/kubeconfig"));
  const now = { KUBECONFIG: text, DATABASE_URL: databaseUrl };
  shell = await DocumentShell.open({ folder: clone, kubectlPath: await which(kubectlPath), env: now });
});

async function which(program: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", 'command -v "$0"', program] }).output();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("the README shows what its commands print", async () => {
  await shell.type(readme.take(`kubectl apply -f ${SAMPLE}`));
  await shell.type(readme.take("kubectl wait"));
  await edit(SAMPLE, (text) => text.replace(/.*LAST_LOGIN.*\n/, "").replace("USER_ID: integer", "USER_ID: bigint"));
  await shell.type(readme.take(`kubectl apply -f ${SAMPLE}`), { code: 1 });
  readme.end();
});

Deno.test("docs/commands.md shows what plan prints", async () => {
  const plan = new DocumentedSection("docs/commands.md", "plan");
  const id = { ID: "integer" };
  const orders = { tableName: "orders", columns: [id, { NOTE: "text" }], primaryKey: "ID" };
  const users = { ...orders, tableName: "users" };
  const write = (name: string, spec: object) =>
    Deno.writeTextFile(join(clone, `tables/${name}.yaml`), manifest(name, spec));
  await Deno.mkdir(join(clone, "tables"));
  await write("orders", orders);
  await write("users", users);
  await typed("kubectl apply -f tables/");
  await typed("kubectl wait --for=condition=Ready databasetable --all --timeout=60s");
  const wider = { ...orders, columns: [...orders.columns, { TOTAL: "numeric(10,2)" }], approval: "Always" };
  await write("orders", wider);
  await write("users", { ...users, columns: [id] });
  await shell.type(plan.take("tablewright plan -f tables/  "), { code: 3 });
  await shell.type(plan.take("tablewright plan -f tables/"), { code: 3 });
  await Deno.copyFile(join(clone, "tables/orders.yaml"), join(clone, "users.yaml"));
  const { stdout } = await shell.type(plan.take("cat users.yaml |"), { code: 2 });
  assertEquals(JSON.parse(stdout).tables[0].result, "changes");
  await typed(`kubectl create secret generic orders-binding --from-literal=uri="$DATABASE_URL"`);
  const refunds = { ...orders, tableName: "refunds", databaseRef: { name: "orders" } };
  await Deno.writeTextFile(join(clone, "refunds.yaml"), manifest("refunds", refunds));
  await shell.type(plan.take('DATABASE_URL="$(kubectl get secret'), { code: 2 });
  plan.end();
});

Deno.test("a plan runs when its hash is set, as docs/operations.md says", async () => {
  const approving = new DocumentedSection("docs/operations.md", "Approving plans");
  await typed("kubectl apply -f tables/orders.yaml");
  await typed("kubectl wait --for=condition=ApprovalRequired databasetable/orders --timeout=60s");
  const hash = await typed("kubectl get databasetable orders -o jsonpath={.status.plan.hash}");
  await shell.type(approving.take("kubectl annotate"), { words: { NAME: "orders", HASH: hash } });
  await typed("kubectl wait --for=condition=Ready databasetable/orders --timeout=60s");
  approving.end();
});

Deno.test("docs/commands.md shows what import prints", async () => {
  const importing = new DocumentedSection("docs/commands.md", "import");
  const sql = connect(databaseUrl);
  for (
    const statement of [
      "CREATE TABLE legacy (id integer PRIMARY KEY, at timestamptz DEFAULT now(), n serial)",
      "CREATE SCHEMA shop",
      "CREATE TABLE shop.orders (id integer PRIMARY KEY)",
      'CREATE TABLE shop."Order Lines" (id integer PRIMARY KEY)',
    ]
  ) await sql.unsafe(statement);
  await sql.end({ timeout: 1 });
  await shell.type(importing.take("tablewright import >"), { code: 2 });
  assertStringIncludes(await Deno.readTextFile(join(clone, "tables.yaml")), "tableName: legacy");
  const { stdout } = await shell.type(importing.take("tablewright import --schema shop"));
  assertStringIncludes(stdout, `tableName: '"Order Lines"'`);
  await shell.type(importing.take("tablewright import legacy"), { code: 2 });
  importing.end();
});

Deno.test("what docs/migrating_from_kopf.md lets somebody type works on objects of kopf", async () => {
  const migrating = new DocumentedSection("docs/migrating_from_kopf.md", "Steps");
  const metadata = { name: "shop", finalizers: ["kopf.zalando.org/KopfFinalizerMarker"] };
  const database = { apiVersion: "zalando.org/v1", kind: "Database", metadata, spec: { type: "mongo" } };
  await Deno.writeTextFile(join(clone, "shop.yaml"), JSON.stringify(database));
  await typed("kubectl apply -f shop.yaml");
  await shell.type(migrating.take("kubectl get databasetables -A"));
  await shell.type(migrating.take("kubectl wait"));
  await eventually("kopf's finalizer goes by itself", async () => {
    const finalizers = await typed("kubectl get database shop -o jsonpath={.metadata.finalizers}");
    return !finalizers.includes("kopf");
  });
  await typed("kubectl delete -f shop.yaml --timeout=60s");
  migrating.end();
});

Deno.test("docs/commands.md shows what uninstall prints, and the tables stay", async () => {
  const uninstall = new DocumentedSection("docs/commands.md", "uninstall");
  await typed("kubectl delete -f tables/ --timeout=60s");
  await shell.type(uninstall.take("tablewright uninstall  "), { code: 2 });
  const removing = uninstall.take("tablewright uninstall --yes");
  await shell.type(uninstall.take("tablewright uninstall"), { code: 2 });
  await shell.type(removing);
  uninstall.end();
  const sql = connect(databaseUrl);
  assertEquals((await sql.unsafe("SELECT to_regclass('website_users')::text AS name"))[0]?.["name"], "website_users");
  await sql.end({ timeout: 1 });
});

Deno.test("Ctrl-C stops everything", async () => {
  Deno.kill(-run.pid, "SIGINT");
  await run.status;
  await shell?.[Symbol.asyncDispose]();
  await Deno.remove(home, { recursive: true });
});

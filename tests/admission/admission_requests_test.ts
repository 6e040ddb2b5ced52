import { assertEquals, assertStringIncludes } from "@std/assert";
import { condition, startTestOperator } from "../harness/operator.ts";
import { ReviewCounter, type ReviewCounts } from "../harness/review_counts.ts";
import { eventually } from "../harness/wait.ts";

/** Which requests of users and of the operator itself reach the webhooks, and what they are told, on the real API server. */
const NAMESPACE = "requests";
const HOLD = "example.com/hold";
const operator = await startTestOperator(NAMESPACE);
const { kubectl } = operator;
const counter = new ReviewCounter(operator.httpPort);

const NONE: ReviewCounts = {};
const MUTATED: ReviewCounts = { "mutate 200": 1 };
const CREATED: ReviewCounts = { "mutate 200": 1, "validate 200": 1, "CREATE allowed": 1 };
const CREATE_DENIED: ReviewCounts = { "mutate 200": 1, "validate 200": 1, "CREATE denied": 1 };
const UPDATED: ReviewCounts = { "mutate 200": 1, "validate 200": 1, "UPDATE allowed": 1 };
const UPDATE_DENIED: ReviewCounts = { "mutate 200": 1, "validate 200": 1, "UPDATE denied": 1 };
const DELETED: ReviewCounts = { "validate 200": 1, "DELETE allowed": 1 };

const COLUMNS = [{ ID: "integer" }, { NOTE: "text" }];

function table(name: string, spec: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}) {
  return {
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: { name, namespace: NAMESPACE, ...metadata },
    spec: { tableName: name.replaceAll("-", "_"), columns: COLUMNS, primaryKey: "ID", ...spec },
  };
}

interface Step {
  readonly what: string;
  readonly args: readonly string[];
  readonly stdin?: unknown;
  readonly env?: Readonly<Record<string, string>>;
  readonly reviews: ReviewCounts;
  /** Part of what kubectl says when it fails; absent: it succeeds. */
  readonly fault?: string;
}

/** A status that is written meanwhile makes the API server begin a change of the object anew, reviews included. */
async function atRest(): Promise<void> {
  await eventually("every status is written", async () => {
    const { items } = JSON.parse(await kubectl.ok(["get", "databasetables,databases.zalando.org", "-o", "json"])) as {
      readonly items: readonly Told[];
    };
    return items.every(({ metadata: { generation, deletionTimestamp }, status }) =>
      deletionTimestamp !== undefined || status?.observedGeneration === generation
    );
  });
}

interface Told {
  readonly metadata: { readonly generation: number; readonly deletionTimestamp?: string };
  readonly status?: { readonly observedGeneration?: number };
}

async function take({ what, args, stdin, env, reviews, fault }: Step): Promise<void> {
  if (reviews !== NONE) await atRest();
  const text = stdin === undefined ? undefined : JSON.stringify(stdin);
  const { code, stderr, stdout } = await kubectl.run(args, text, env);
  assertEquals(code === 0, fault === undefined, `${what}: ${stderr}${stdout}`);
  if (fault !== undefined) assertStringIncludes(stderr, fault, what);
  assertEquals(await counter.since(), reviews, what);
}

/** Runs steps of a user; what the operator writes meanwhile must not reach its own webhooks, or the counts would be higher. */
async function takeAll(steps: readonly Step[]): Promise<void> {
  await counter.since();
  for (const step of steps) await take(step);
}

function patched(name: string, patch: unknown, ...flags: readonly string[]): readonly string[] {
  return ["patch", "databasetable", name, "--type=merge", "-p", JSON.stringify(patch), ...flags];
}

async function objectOf(name: string): Promise<Record<string, Record<string, unknown>>> {
  return await kubectl.get("databasetable", name) as Record<string, Record<string, unknown>>;
}

Deno.test("apply, replace, patch, edit and scale: only a change of the spec is judged", async () => {
  const stdin = ["-f", "-"];
  const more = { columns: [...COLUMNS, { MORE: "text" }] };
  await takeAll([
    { what: "apply", args: ["apply", ...stdin], stdin: table("orders"), reviews: CREATED },
    { what: "apply again", args: ["apply", ...stdin], stdin: table("orders"), reviews: NONE },
    { what: "apply a change", args: ["apply", ...stdin], stdin: table("orders", more), reviews: UPDATED },
    {
      what: "apply a bad change",
      args: ["apply", ...stdin],
      stdin: table("orders", { columns: [{ ID: "integer" }] }),
      reviews: UPDATE_DENIED,
      fault: "spec.columns: ",
    },
    {
      what: "a bad change under dry-run",
      args: ["apply", "--dry-run=server", ...stdin],
      stdin: table("orders", { columns: [{ ID: "interger" }] }),
      reviews: UPDATE_DENIED,
      fault: "spec.columns[0].ID",
    },
  ]);
  await condition(operator, "orders", { type: "Ready", status: "True" });
  await takeAll([
    // What the webhook added is missing in the file: it comes back, and then there is nothing to judge.
    { what: "replace", args: ["replace", ...stdin], stdin: table("orders", more), reviews: MUTATED },
    { what: "patch the spec", args: patched("orders", { spec: { comment: "by patch" } }), reviews: UPDATED },
    { what: "patch with what is there", args: patched("orders", { spec: { comment: "by patch" } }), reviews: NONE },
    {
      what: "edit",
      args: ["edit", "databasetable", "orders"],
      env: { KUBE_EDITOR: "sed -i 's/comment: by patch/comment: by editor/'" },
      reviews: UPDATED,
    },
    { what: "scale", args: ["scale", "databasetable/orders", "--replicas=2"], reviews: NONE, fault: "not found" },
    { what: "annotate", args: ["annotate", "databasetable", "orders", "a=b"], reviews: NONE },
    { what: "label", args: ["label", "databasetable", "orders", "a=b"], reviews: NONE },
  ]);
  const { metadata, spec } = await objectOf("orders");
  assertEquals([metadata?.["finalizers"], spec?.["comment"]], [["kopf.demo/tablewright"], "by editor"]);
});

Deno.test("server-side apply: a takeover of fields is not judged, a change is, and dry-run keeps nothing", async () => {
  const args = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
  const more = { comment: "by server-side apply" };
  await takeAll([
    { what: "create", args, stdin: table("applied"), reviews: CREATED },
    { what: "the same", args, stdin: table("applied"), reviews: NONE },
    { what: "by another manager", args: [...args, "--field-manager=other"], stdin: table("applied"), reviews: NONE },
    { what: "dry-run", args: [...args, "--dry-run=server"], stdin: table("applied", more), reviews: UPDATED },
  ]);
  assertEquals((await objectOf("applied"))["spec"]?.["comment"], undefined);
  await takeAll([{ what: "a change", args, stdin: table("applied", more), reviews: UPDATED }]);
});

Deno.test("status and finalizers: writes of controllers are not judged; only our own finalizer is put back", async () => {
  assertEquals((await kubectl.apply(table("written"))).code, 0);
  await condition(operator, "written", { type: "Ready", status: "True" });
  const finalizers = (...names: readonly string[]) => patched("written", { metadata: { finalizers: names } });
  await takeAll([
    { what: "status", args: patched("written", { status: { message: "x" } }, "--subresource=status"), reviews: NONE },
    { what: "another finalizer", args: finalizers("kopf.demo/tablewright", HOLD), reviews: NONE },
    { what: "ours removed", args: finalizers(HOLD), reviews: MUTATED },
  ]);
  const { metadata } = await objectOf("written");
  assertEquals((metadata?.["finalizers"] as readonly string[]).toSorted(), [HOLD, "kopf.demo/tablewright"]);
});

Deno.test("annotations: those that are decisions are judged, when they come, change and go, and no other one is", async () => {
  // Otherwise the loop takes an approval away that no plan waits for.
  assertEquals((await kubectl.apply(table("decided", { suspend: true }))).code, 0);
  await eventually("it is left alone", async () => (await objectOf("decided"))["status"] !== undefined);
  const annotate = (...values: readonly string[]) => ["annotate", "--overwrite", "databasetable", "decided", ...values];
  const judged: ReviewCounts = { "validate 200": 1, "UPDATE allowed": 1 };
  const decisions = ["kopf.demo/approve-plan", "kopf.demo/take-over"].flatMap((name): readonly Step[] => [
    { what: `${name} comes`, args: annotate(`${name}=0123456789ab`), reviews: judged },
    { what: `${name} stays`, args: annotate(`${name}=0123456789ab`, "other=value"), reviews: NONE },
    { what: `${name} changes`, args: annotate(`${name}=ba9876543210`), reviews: judged },
    { what: `${name} goes`, args: annotate(`${name}-`, "other-"), reviews: judged },
  ]);
  await takeAll(decisions);
});

Deno.test("an object that is being deleted is judged once, and never again", async () => {
  await takeAll([
    { what: "delete", args: ["delete", "databasetable", "written", "--wait=false"], reviews: DELETED },
    { what: "delete again", args: ["delete", "databasetable", "written", "--wait=false"], reviews: NONE },
    { what: "a bad spec", args: patched("written", { spec: { columns: [{ ID: "interger" }] } }), reviews: NONE },
    { what: "the hold removed", args: patched("written", { metadata: { finalizers: null } }), reviews: NONE },
  ]);
  await eventually("it is gone", async () => await kubectl.get("databasetable", "written") === undefined);
});

Deno.test("generateName: the review without a name is judged, and so is its spec", async () => {
  const generated = (spec: Record<string, unknown>) => {
    const { metadata: _, ...rest } = table("generated", spec);
    return { ...rest, metadata: { generateName: "generated-", namespace: NAMESPACE } };
  };
  await takeAll([
    { what: "create", args: ["create", "-f", "-"], stdin: generated({}), reviews: CREATED },
    {
      what: "a bad one",
      args: ["create", "-f", "-"],
      stdin: generated({ tableName: "bad", primaryKey: "NONE" }),
      reviews: CREATE_DENIED,
      fault: "spec.primaryKey",
    },
  ]);
});

Deno.test("deletecollection is judged object by object, by the name that only the object has", async () => {
  const labels = { group: "many" };
  for (const name of ["many-a", "many-b"]) assertEquals((await kubectl.apply(table(name, {}, { labels }))).code, 0);
  const path = `/apis/kopf.demo/v1/namespaces/${NAMESPACE}/databasetables?labelSelector=group%3Dmany`;
  await takeAll([{
    what: "deletecollection",
    args: ["delete", "--raw", path],
    reviews: { "validate 200": 2, "DELETE allowed": 2 },
  }]);
  await eventually("both are gone", async () => await kubectl.ok(["get", "databasetable", "-l", "group=many"]) === "");
  assertEquals((await kubectl.apply(table("kept", { deletionPolicy: "Forbid" }, { labels }))).code, 0);
  const { code, stderr } = await kubectl.run(["delete", "--raw", path]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "spec.deletionPolicy is Forbid");
});

Deno.test("a spec of 1,600 columns and 1 MB passes, an object without a spec is denied", async () => {
  const columns = Array.from({ length: 1_600 }, (_, index) => ({
    [index === 0 ? "ID" : `C${index}`]: { type: "integer", comment: "x".repeat(610) },
  }));
  const { spec: _, ...bare } = table("bare");
  const large = table("large", { columns });
  assertEquals(JSON.stringify(large).length > 1_000_000, true);
  await takeAll([
    { what: "1 MB", args: ["create", "-f", "-"], stdin: large, reviews: CREATED },
    { what: "no spec", args: ["create", "-f", "-"], stdin: bare, reviews: CREATE_DENIED, fault: "spec" },
  ]);
});

Deno.test("a Database is judged like a table, and what the webhook added comes back", async () => {
  const database = (name: string, spec: Record<string, unknown>) => {
    return { apiVersion: "zalando.org/v1", kind: "Database", metadata: { name, namespace: NAMESPACE }, spec };
  };
  const args = ["apply", "-f", "-"];
  const patch = (spec: unknown, ...flags: readonly string[]) => {
    return ["patch", "database", "db", "--type=merge", "-p", JSON.stringify(spec), ...flags];
  };
  const bad = { what: "a bad one", reviews: CREATE_DENIED, fault: "spec.type" };
  const first = database("db", { type: "mongo", suspend: true });
  const changed = { type: "mongo", suspend: true, podLabels: { a: "b" } };
  await takeAll([
    { ...bad, args, stdin: database("bad", { type: "oracle" }) },
    { what: "create", args, stdin: first, reviews: CREATED },
    { what: "apply again", args, stdin: first, reviews: NONE },
    { what: "a change", args, stdin: database("db", changed), reviews: UPDATED },
    {
      what: "another type",
      args,
      stdin: database("db", { ...changed, type: "mysql" }),
      reviews: UPDATE_DENIED,
      fault: "spec.type",
    },
    {
      what: "replace",
      args: ["replace", "-f", "-"],
      stdin: database("db", changed),
      reviews: MUTATED,
    },
    { what: "annotate", args: ["annotate", "database", "db", "a=b"], reviews: NONE },
    { what: "a status", args: patch({ status: { message: "x" } }, "--subresource=status"), reviews: NONE },
    { what: "hold", args: patch({ metadata: { finalizers: [HOLD] } }), reviews: NONE },
    { what: "delete", args: ["delete", "database", "db", "--wait=false"], reviews: DELETED },
    { what: "delete again", args: ["delete", "database", "db", "--wait=false"], reviews: NONE },
    { what: "a bad spec of a dying one", args: patch({ spec: { type: "oracle" } }), reviews: NONE },
    { what: "let go", args: patch({ metadata: { finalizers: null } }), reviews: NONE },
  ]);
  await eventually("it is gone", async () => await kubectl.get("database", "db") === undefined);
  const made = await kubectl.run(
    ["create", "-f", "-"],
    JSON.stringify(database("held", { type: "mongo", deletionPolicy: "Forbid" })),
  );
  assertEquals(made.code, 0, made.stderr);
  await takeAll([{
    what: "delete what is forbidden",
    args: ["delete", "database", "held"],
    reviews: NONE,
    fault: "spec.deletionPolicy is Forbid",
  }]);
});

Deno.test("what was invalid before may stay or be mended, and nothing invalid may be added", async () => {
  const optional = { columns: COLUMNS };
  const strict = { columns: [{ ID: "integer" }, { NOTE: { type: "text", notNull: true } }] };
  assertEquals((await kubectl.apply(table("nulls", optional))).code, 0);
  await condition(operator, "nulls", { type: "Ready", status: "True" });
  await operator.sql("INSERT INTO nulls VALUES (1, NULL)");
  await operator.restart(["--webhooks", "off"]);
  const bad = { primaryKey: "NONE" };
  await eventually("nobody judges", async () => (await kubectl.apply(table("ratchet", bad))).code === 0);
  assertEquals((await kubectl.apply(table("nulls", strict))).code, 0);
  await operator.restart();
  const args = ["apply", "-f", "-"];
  const fresh = { ...bad, columns: [...COLUMNS, { B: 7 }] };
  const unique = [strict.columns[0], {
    NOTE: { type: "text", notNull: true, references: { table: "nowhere.x", column: "ID" } },
  }];
  await takeAll([
    { what: "more", args, stdin: table("ratchet", fresh), reviews: UPDATE_DENIED, fault: "spec.columns[2].B" },
    { what: "the rest", args, stdin: table("ratchet", { ...bad, comment: "still" }), reviews: UPDATED },
    { what: "mended", args, stdin: table("ratchet"), reviews: UPDATED },
    // What only the rows show stood before as well.
    { what: "rows", args, stdin: table("nulls", { ...strict, comment: "still" }), reviews: UPDATED },
    { what: "worse", args, stdin: table("nulls", { columns: unique }), reviews: UPDATE_DENIED, fault: "references" },
    { what: "rows mended", args, stdin: table("nulls", optional), reviews: UPDATED },
  ]);
  await condition(operator, "ratchet", { type: "Ready", status: "True" });
  await condition(operator, "nulls", { type: "Ready", status: "True" });
});

Deno.test("a fault that only the live catalog shows may stay while it is not touched, and no other may be added", async () => {
  await operator.sql("CREATE TYPE mood AS ENUM ('sad', 'ok')");
  const own = [{ ID: "integer" }, { FEELING: "mood" }];
  assertEquals((await kubectl.apply(table("moody", { columns: own }))).code, 0);
  await condition(operator, "moody", { type: "Ready", status: "True" });
  const args = ["apply", "-f", "-"];
  const changed = { what: "another type", reviews: UPDATE_DENIED, fault: "spec.columns[1].FEELING" };
  await takeAll([{ ...changed, args, stdin: table("moody", { columns: [{ ID: "integer" }, { FEELING: "text" }] }) }]);
  await operator.sql("DROP TYPE mood CASCADE");
  const { code, stderr } = await kubectl.apply(table("moody", { columns: own, comment: "still" }));
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "still refused: spec.columns[1].FEELING");
  await takeAll([
    {
      what: "another unknown type",
      args,
      stdin: table("moody", { columns: [...own, { NEXT: "temper" }] }),
      reviews: UPDATE_DENIED,
      fault: "spec.columns[2].NEXT",
    },
    {
      what: "the unknown type at another place",
      args,
      stdin: table("moody", { columns: [...own, { NEXT: "mood" }] }),
      reviews: UPDATE_DENIED,
      fault: "spec.columns[2].NEXT",
    },
    {
      what: "mended",
      args,
      stdin: table("moody", { columns: [{ ID: "integer" }, { FEELING: "text" }] }),
      reviews: UPDATED,
    },
  ]);
  await condition(operator, "moody", { type: "Ready", status: "True" });
});

Deno.test("the operator stops in order", async () => {
  await operator.close();
});

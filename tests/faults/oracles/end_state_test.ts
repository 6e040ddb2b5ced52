import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { FINALIZER } from "../../../crds/database_table/types.ts";
import { POD, SECRET } from "../../../handlers/database/observe/children.ts";
import { DATABASE_RESOURCE } from "../../../handlers/database/objects.ts";
import { TABLE_RESOURCE } from "../../../handlers/database_table/handler.ts";
import { KubeClient } from "../../../kube/client/client.ts";
import { apiVersionOf, type ResourceType } from "../../../kube/object.ts";
import { ensureRegistry } from "../../../postgres/registry/registry.ts";
import { openDatabase } from "../../../postgres/session/client.ts";
import { Kubectl } from "../../harness/kubectl.ts";
import { openTestbed } from "../../harness/testbed.ts";
import { openStageDatabase } from "../stage/stage_database.ts";
import { eventually } from "../../harness/wait.ts";
import { readEndState } from "./end_state.ts";
import { multisetFaults } from "./journals.ts";

/** No operator works here: every change is the test's. */
const testbed = await openTestbed();
const namespace = `end-state-${crypto.randomUUID().slice(0, 6)}`;
const user = new KubeClient(testbed, { userAgent: "a-user", fieldManager: "a-user" });
const kubectl = new Kubectl(testbed, namespace);
const database = await openStageDatabase(testbed.superuserUrl, namespace);
const { sql } = database;
const stage = { database, user, namespace };
const VALIDATING = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  plural: "validatingwebhookconfigurations",
  kind: "ValidatingWebhookConfiguration",
  namespaced: false,
};

Deno.test.beforeAll(async () => {
  await kubectl.ok(["create", "namespace", namespace]);
  const definitions = fromFileUrl(new URL("../../../crds", import.meta.url));
  // An operator of another test may have installed them here.
  await kubectl.ok(["apply", "--server-side", "--force-conflicts", "--kustomize", definitions]);
  const waits = ["--for=condition=Established", "--timeout=60s"];
  for (const { plural, group } of [TABLE_RESOURCE, DATABASE_RESOURCE]) {
    await kubectl.ok(["wait", ...waits, `customresourcedefinition/${plural}.${group}`]);
  }
  // A kind is served a moment before its storage is.
  await eventually("the kinds can be listed", () => readEndState(stage).then(() => true, () => false));
  const own = openDatabase({ url: database.url, applicationName: "a-test", maxConnections: 1 });
  await ensureRegistry(own, new AbortController().signal);
  await own.close();
});

Deno.test.afterAll(async () => {
  await kubectl.ok(["delete", VALIDATING.plural, namespace, "--ignore-not-found"]);
  await kubectl.ok(["delete", "namespace", namespace, "--wait=false"]);
  user.close();
  await database.close();
  await testbed.stop();
});

/** A table, its registry row and its object, as an operator leaves them. */
async function makeTable(name: string, table: string): Promise<void> {
  await sql(`SET ROLE ${database.role}; CREATE TABLE public.${table} (id integer PRIMARY KEY); RESET ROLE`);
  await sql(
    `INSERT INTO tablewright.owned_table (schema_name, table_name, oid, cluster_id, namespace, name, uid, generation, spec_hash, origin, members, expressions, fingerprint)
     VALUES ('public', '${table}', 'public.${table}'::regclass, gen_random_uuid(), '${namespace}', '${name}', gen_random_uuid(), 1, 'hash', 'created', '{"column": ["id"]}', '{}', 1)`,
  );
  const spec = { tableName: table, columns: [{ ID: "integer" }], primaryKey: "ID" };
  await make(TABLE_RESOURCE, { name, finalizers: [FINALIZER] }, { spec });
  await patch(TABLE_RESOURCE, name, { status: { observedGeneration: 1, conditions: [readyCondition("True")] } });
}

async function make(type: ResourceType, metadata: Record<string, unknown>, rest: unknown): Promise<void> {
  const scope = type.namespaced ? { namespace } : {};
  const whole = { apiVersion: apiVersionOf(type), kind: type.kind, metadata: { ...metadata, ...scope } };
  await kubectl.ok(["create", "-f", "-"], JSON.stringify({ ...whole, ...rest as Record<string, unknown> }));
}

async function patch({ plural, group }: ResourceType, name: string, value: Record<string, unknown>): Promise<void> {
  const subresource = "status" in value ? ["--subresource=status"] : [];
  const resource = group === "" ? plural : `${plural}.${group}`;
  await kubectl.ok(["patch", resource, name, "--type=merge", "-p", JSON.stringify(value), ...subresource]);
}

function readyCondition(status: string): Readonly<Record<string, unknown>> {
  return { type: "Ready", status, reason: "Tested", message: "at noon", lastTransitionTime: "2026-01-01T00:00:00Z" };
}

function alters(text: string): () => Promise<void> {
  return async () => void await sql(text);
}

/** One more change at a time, and the line that it adds or, behind a minus, takes away. */
const CHANGES: readonly (readonly [what: string, act: () => Promise<void>, line: RegExp])[] = [
  ["a column", alters("ALTER TABLE public.orders ADD COLUMN note text"), /^\+table orders: column note text$/],
  ["NOT NULL", alters("ALTER TABLE public.orders ALTER COLUMN note SET NOT NULL"), /^\+.*: column note text not null$/],
  [
    "a type",
    alters("ALTER TABLE public.orders ALTER COLUMN note TYPE varchar(9)"),
    /^\+.*: column note .*\(9\) not null$/,
  ],
  ["a default", alters("ALTER TABLE public.orders ALTER COLUMN note SET DEFAULT 'x'"), /^\+.*: default of note: 'x'/],
  ["an index", alters("CREATE INDEX by_note ON public.orders (note)"), /^\+table orders: index by_note$/],
  [
    "an index of that name on something else",
    alters("DROP INDEX public.by_note; CREATE INDEX by_note ON public.orders (id)"),
    /^\+table orders: CREATE INDEX by_note .*\(id\)$/,
  ],
  [
    "a check",
    alters("ALTER TABLE public.orders ADD CONSTRAINT c CHECK (id > 0)"),
    /^\+.*: constraint c: CHECK \(\(id > 0\)\)$/,
  ],
  [
    "another check of that name",
    alters(
      "ALTER TABLE public.orders DROP CONSTRAINT c; ALTER TABLE public.orders ADD CONSTRAINT c CHECK (id > 1) NOT VALID",
    ),
    /^\+table orders: check c NOT VALID$/,
  ],
  ["a row", alters("INSERT INTO public.orders VALUES (7, 'x')"), /^\+table orders: 1 rows$/],
  ["a comment", alters("COMMENT ON TABLE public.orders IS 'of customers'"), /^\+table orders: comment: of customers$/],
  ["an owner", alters("ALTER TABLE public.orders OWNER TO CURRENT_USER"), /^-table orders: owner: ROLE$/],
  ["a table", alters("CREATE TABLE public.stray (id integer)"), /^\+table stray: column id integer$/],
  [
    "a generation in the registry",
    alters("UPDATE tablewright.owned_table SET generation = 2"),
    /^\+registry: public orders orders subject-1 2/,
  ],
  [
    "a member in the registry",
    alters("UPDATE tablewright.owned_table SET members = '{}'"),
    /^\+registry: .* created {} {}$/,
  ],
  ["a row of the registry", alters("DELETE FROM tablewright.owned_table"), /^-registry: public orders/],
  [
    "a finalizer",
    () => patch(TABLE_RESOURCE, "subject-1", { metadata: { finalizers: null } }),
    new RegExp(`^-object subject-1: .*${FINALIZER}`),
  ],
  [
    "a condition",
    () => patch(TABLE_RESOURCE, "subject-1", { status: { conditions: [readyCondition("False")] } }),
    /^\+object subject-1: .*"Ready=False Tested"/,
  ],
  [
    "a generation that was observed",
    () => patch(TABLE_RESOURCE, "subject-1", { status: { observedGeneration: 7 } }),
    /^\+object subject-1: .*"observedGeneration":7/,
  ],
  [
    "a spec",
    () => patch(TABLE_RESOURCE, "subject-1", { spec: { comment: "x" } }),
    /^\+object subject-1: .*"comment":"x"/,
  ],
  ["an object", () => kubectl.ok(["delete", "databasetable", "subject-1"]).then(), /^-object subject-1: /],
  [
    "a Database",
    () => make(DATABASE_RESOURCE, { name: "subject-db" }, { spec: { type: "postgres" } }),
    /^\+object subject-db: /,
  ],
  [
    "a Pod",
    () => make(POD, { name: "subject-db" }, { spec: { containers: [{ name: "db", image: "postgres:18" }] } }),
    /^\+Pod subject-db: .*"images":\["postgres:18"\]/,
  ],
  [
    "another image",
    () => kubectl.ok(["set", "image", "pod/subject-db", "db=postgres:17"]).then(),
    /^\+Pod subject-db: .*"images":\["postgres:17"\]/,
  ],
  [
    "a label",
    () => patch(POD, "subject-db", { metadata: { labels: { app: "db" } } }),
    /^\+Pod subject-db: .*"labels":\{"app":"db"\}/,
  ],
  [
    "a Secret",
    () => make(SECRET, { name: "subject-db" }, { stringData: { password: "p" } }),
    /^\+Secret subject-db: .*"keys":\["password"\]/,
  ],
  [
    "a password that is empty",
    () => patch(SECRET, "subject-db", { stringData: { password: "" } }),
    /"keys":\["password \(empty\)"\]/,
  ],
  [
    "a webhook",
    () => make(VALIDATING, { name: namespace }, { webhooks: [WEBHOOK] }),
    /^\+ValidatingWebhookConfiguration: nobody.example.com Ignore$/,
  ],
];

/** It is about nothing that anybody has. */
const WEBHOOK = {
  name: "nobody.example.com",
  failurePolicy: "Ignore",
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  clientConfig: { url: "https://127.0.0.1:9/" },
  rules: [{ apiGroups: ["nobody.example.com"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["nothings"] }],
};

Deno.test("the end state shows every part of a table, registry, object, server and webhook that differs", async (t) => {
  await makeTable("subject-1", "orders");
  let before = await readEndState(stage);
  assertEquals(await readEndState(stage), before);
  for (const [what, act, line] of CHANGES) {
    await t.step(what, async () => {
      await act();
      const after = await readEndState(stage);
      const seen = multisetFaults(before, after)
        .map((fault) => fault.replace(/^missing: /, "-").replace(/^not in the reference: /, "+"));
      before = after;
      assertMatch(seen.find((each) => line.test(each)) ?? `nothing like that in:\n${seen.join("\n")}`, line);
    });
  }
});

Deno.test("two runs that did the same have the same end state, and neither sees the other", async () => {
  await makeTable("subject-101", "orders_101");
  const first = await readEndState(stage, { number: 101 });
  await makeTable("subject-102", "orders_102");
  assertEquals(await readEndState(stage, { number: 101 }), first);
  assertEquals(await readEndState(stage, { number: 102 }), first);
  assertEquals(first.filter((line) => /^(table orders|registry|object subject): /.test(line)).length > 4, true);
});

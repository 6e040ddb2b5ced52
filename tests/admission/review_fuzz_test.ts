import { assertEquals } from "@std/assert";
import { decodeDatabaseSpec } from "../../crds/database/decode.ts";
import { decodeTableSpec } from "../../crds/database_table/decode.ts";
import { defaultTableSpec } from "../../crds/database_table/default.ts";
import { validateTableSpec } from "../../crds/database_table/validate.ts";
import { formatFieldError } from "../../crds/field_error.ts";
import { databaseHandler } from "../../handlers/database/handler.ts";
import type { DatabaseContext } from "../../handlers/database/context.ts";
import { databaseTableHandler } from "../../handlers/database_table/handler.ts";
import { LiveCatalog } from "../../handlers/database_table/verdict/live_catalog.ts";
import { TableDispatch } from "../../handlers/database_table/server/dispatch.ts";
import type { ServedDatabase, ServingContext } from "../../handlers/database_table/server/served_database.ts";
import { ServedDatabases } from "../../handlers/database_table/server/served_databases.ts";
import { createAdmissionApp } from "../../handlers/admission/server.ts";
import { ProbeResponder } from "../../handlers/admission/probe.ts";
import { noTelemetry } from "../../handlers/operator/telemetry.ts";
import { memoryLogger, silentLogger } from "../../kube/telemetry/logger.ts";
import { systemTiming } from "../../kube/timing.ts";
import type { Database } from "../../postgres/session/client.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import { createRandom, ReviewMutator } from "../harness/review_mutations.ts";

/** Set `TABLEWRIGHT_FUZZ_SEED` to run a failure again, `TABLEWRIGHT_FUZZ_COUNT` to search for longer. */
const SEED = Number(Deno.env.get("TABLEWRIGHT_FUZZ_SEED") ?? 20_260_101);
const COUNT = Number(Deno.env.get("TABLEWRIGHT_FUZZ_COUNT") ?? 100_000);
/** One in so many is an object of many faults at once; the rest differ in few places, and get further. */
const BYTES_SHARE = 0.25;

const UNREACHABLE = new PostgresError("connection refused", { kind: "transient" } as never);
const database: Database = {
  address: "nowhere",
  transaction: () => Promise.reject(UNREACHABLE),
  concurrently: () => Promise.reject(UNREACHABLE),
  close: () => Promise.resolve(),
};
const databases = new ServedDatabases({
  fallback: {
    catalog: new LiveCatalog({ database, clusterId: "cluster", allowedFunctions: new Set() }),
  } as unknown as ServedDatabase,
  directory: {
    resolve: () => Promise.resolve({ kind: "waiting", reason: "DatabaseNotReady", message: "not yet", path: "spec" }),
  },
  open: () => {
    throw UNREACHABLE;
  },
  timing: systemTiming,
});
const serving = { timing: systemTiming } as unknown as ServingContext;
const dispatch = new TableDispatch(databases, serving, {
  isNamespaceTerminating: () => Promise.resolve(false),
  now: () => performance.now(),
  logger: silentLogger,
});
const table = databaseTableHandler(dispatch, databases);
// Nothing stands under the names of a Database.
const server = databaseHandler(
  {
    objects: { read: () => Promise.resolve(undefined) },
    isNamespaceTerminating: () => Promise.resolve(false),
    tablesIn: () => Promise.resolve([]),
  },
  {} as DatabaseContext,
  () => {},
);
const logger = memoryLogger();
const app = createAdmissionApp({
  kinds: [table, server],
  probe: new ProbeResponder(crypto.getRandomValues(new Uint8Array(32))),
  logger,
  telemetry: noTelemetry,
});

type Fields = Readonly<Record<string, unknown>>;

function review(kind: "DatabaseTable" | "Database", operation: string, objects: readonly [unknown?, unknown?]): Fields {
  const [group, plural] = kind === "Database" ? ["zalando.org", "databases"] : ["kopf.demo", "databasetables"];
  const [spec, oldSpec] = objects;
  const metadata = { name: "seed", namespace: "default", uid: "u", generation: 1, annotations: { a: "b" } };
  const object = (each: unknown) =>
    each === undefined ? null : { apiVersion: `${group}/v1`, kind, metadata, spec: each };
  return {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid: "0d9b3a4e-3f0c-4f62-9c0b-0a2f1f1f6c11",
      kind: { group, version: "v1", kind },
      resource: { group, version: "v1", resource: plural },
      ...{
        name: "seed",
        namespace: "default",
        operation,
        dryRun: false,
        object: object(spec),
        oldObject: object(oldSpec),
      },
    },
  };
}

const SIMPLE = { tableName: "SEED", columns: [{ ID: "integer" }, { NAME: "varchar(50)" }], primaryKey: "ID" };
const RICH = {
  tableName: '"Seed"',
  schema: "app",
  columns: [
    { ID: { type: "bigint", identity: "Always" } },
    { EMAIL: { type: "text", notNull: true, default: "", unique: true, comment: "login", collation: "C" } },
    { TOTAL: { type: "numeric(10,2)", check: "total > 0", defaultExpression: "1 + 1" } },
    { PARENT: { type: "integer", references: { table: "PARENTS", column: "ID", onDelete: "Cascade" } } },
    { AT: { type: "timestamp(3) with time zone", defaultExpression: "now()" } },
  ],
  primaryKey: ["ID", "EMAIL"],
  uniqueConstraints: [{ name: "U", columns: ["EMAIL"], nullsNotDistinct: true }],
  checks: [{ name: "C", expression: "length(email) < 100" }],
  foreignKeys: [{ columns: ["PARENT"], references: { table: "PARENTS", columns: ["ID"] } }],
  indexes: [{ name: "I", columns: ["EMAIL", { name: "AT", order: "Descending" }], where: "total > 1" }],
  comment: "all of it",
  changePolicy: { allow: ["DropColumn"], online: "Prefer" },
  deletionPolicy: "Retain",
};
/** As they came to be while nobody judged: what is wrong with them may stay, and nothing may be added. */
const FAULTY = { ...SIMPLE, columns: [...SIMPLE.columns, { NAME: 7 }, { "": "text" }], primaryKey: "NONE" };
const FAULTY_SERVER = { type: "mongo", version: 4, service: { type: "None" } };
const SEEDS: readonly Fields[] = [
  review("DatabaseTable", "CREATE", [SIMPLE]),
  review("DatabaseTable", "CREATE", [RICH]),
  review("DatabaseTable", "UPDATE", [{ ...SIMPLE, columns: [...SIMPLE.columns, { EXTRA: "text" }] }, SIMPLE]),
  review("DatabaseTable", "UPDATE", [{ ...RICH, comment: "other" }, RICH]),
  review("DatabaseTable", "UPDATE", [{ ...FAULTY, comment: "other" }, FAULTY]),
  review("DatabaseTable", "DELETE", [undefined, { ...SIMPLE, deletionPolicy: "Forbid" }]),
  review("Database", "CREATE", [{ type: "mongo" }]),
  review("Database", "UPDATE", [{ type: "mysql" }, { type: "mysql" }]),
  review("Database", "UPDATE", [{ ...FAULTY_SERVER, suspend: true }, FAULTY_SERVER]),
];

/** What decode and validate alone say of a spec. */
function faultsOf(kind: unknown, spec: unknown): readonly string[] {
  if (kind === "databases") {
    const decoded = decodeDatabaseSpec(spec);
    return decoded.ok ? [] : decoded.errors.map(formatFieldError);
  }
  const decoded = decodeTableSpec(spec);
  const rules = decoded.value === undefined ? [] : validateTableSpec(defaultTableSpec(decoded.value, "Plain"));
  return [...decoded.errors, ...rules].map(formatFieldError);
}

interface Outcome {
  readonly label: string;
  readonly fault?: string;
}

async function judge(path: string, body: Uint8Array<ArrayBuffer>): Promise<Outcome> {
  const response = await app.request(`${path}?timeout=5s`, { method: "POST", body });
  const text = await response.text();
  if (response.status >= 400 && response.status < 500) return { label: "4xx" };
  if (response.status !== 200) return { label: "crash", fault: `HTTP ${response.status}: ${text}` };
  const { request } = JSON.parse(new TextDecoder().decode(body)) as { request: Record<string, Fields> };
  const { response: verdict } = JSON.parse(text) as { response: { uid: string; allowed: boolean } };
  if (verdict.uid !== (request["uid"] as unknown)) return { label: "uid", fault: `another uid: ${verdict.uid}` };
  if (path === "/mutate") return { label: verdict.allowed ? "mutated" : "refused" };
  if (!verdict.allowed) return { label: "denied" };
  return { label: "allowed", ...unjustFault(request) };
}

/** An allowed object has no fault but those that its old version had: word for word, so that another one at the same place counts. */
function unjustFault(request: Record<string, Fields>): { readonly fault?: string } {
  const { object, oldObject, resource, operation } = request;
  const isJudged = ["CREATE", "UPDATE"].includes(String(operation)) && object?.["metadata"] !== undefined;
  if (!isJudged || (object["metadata"] as Fields)["deletionTimestamp"] !== undefined) return {};
  const kind = resource?.["resource"];
  const known = new Set(String(operation) === "UPDATE" ? faultsOf(kind, oldObject?.["spec"]) : []);
  const fresh = faultsOf(kind, object["spec"]).filter((each) => !known.has(each));
  return fresh.length === 0 ? {} : { fault: `allowed: ${fresh.join("; ")}` };
}

Deno.test(`${COUNT} mutated reviews get a 4xx or a verdict with their uid, and nothing invalid is allowed`, async () => {
  const mutator = new ReviewMutator(createRandom(SEED));
  const random = createRandom(SEED + 1);
  const texts = SEEDS.map((each) => JSON.stringify(each));
  const counts: Record<string, number> = {};
  const failures: string[] = [];
  for (let index = 0; index < COUNT && failures.length < 5; index++) {
    const seed = mutator.pick(texts);
    const path = random() < 0.2 ? "/mutate" : "/validate";
    const body = random() < BYTES_SHARE
      ? mutator.bytes(seed)
      : new TextEncoder().encode(JSON.stringify(mutator.structure(seed)));
    const { label, fault } = await judge(path, body);
    counts[label] = (counts[label] ?? 0) + 1;
    if (fault !== undefined) {
      failures.push(`#${index} ${path} ${fault}\n${new TextDecoder().decode(body).slice(0, 2_000)}`);
    }
  }
  const crashes = logger.entries.map(({ properties }) => String((properties["error"] as Error)?.stack));
  assertEquals(failures, [], crashes.join("\n"));
  // The mutations must reach every kind of answer, or they prove nothing.
  assertEquals(Object.keys(counts).sort(), ["4xx", "allowed", "denied", "mutated"]);
  Deno.stdout.writeSync(new TextEncoder().encode(`seed ${SEED}: ${JSON.stringify(counts)}\n`));
});

Deno.test("a body that is no admission.k8s.io/v1 review is answered 4xx", async () => {
  const [seed = {}] = SEEDS;
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  const bodies: Readonly<Record<string, string>> = {
    empty: "",
    text: "hello",
    list: "[]",
    deep,
    "another version": JSON.stringify({ ...seed, apiVersion: "admission.k8s.io/v1beta1" }),
    "no request": JSON.stringify({ ...seed, request: undefined }),
    "no uid": JSON.stringify({ ...seed, request: { ...seed["request"] as Fields, uid: "" } }),
    "7 MiB and a byte": JSON.stringify(seed).padEnd(7 * 1024 * 1024 + 1),
  };
  for (const path of ["/validate", "/mutate", "/other"]) {
    for (const [name, body] of Object.entries(bodies)) {
      const response = await app.request(path, { method: "POST", body });
      await response.body?.cancel();
      assertEquals(
        [response.status >= 400, response.status < 500],
        [true, true],
        `${path} ${name}: ${response.status}`,
      );
    }
  }
});

Deno.test("a spec that is 100,000 deep is refused, wherever the depth is", async () => {
  const marker = '"deep"';
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  const places: readonly unknown[] = [
    { ...SIMPLE, extra: "deep" },
    { ...SIMPLE, columns: "deep" },
    { ...SIMPLE, columns: [{ ID: "deep" }] },
    { ...SIMPLE, primaryKey: "deep" },
    "deep",
  ];
  for (const path of ["/validate", "/mutate"]) {
    for (const spec of places) {
      const body = JSON.stringify(review("DatabaseTable", "CREATE", [spec])).replace(marker, deep);
      const response = await app.request(path, { method: "POST", body });
      const answer = response.status === 200 ? (await response.json()).response.allowed : response.status < 500;
      assertEquals(
        [response.status < 500, answer],
        [true, path === "/mutate" || response.status >= 400],
        JSON.stringify(spec),
      );
    }
  }
});

Deno.test("a valid review of 2.9 MiB passes", async () => {
  const comment = "x".repeat(1_450_000);
  const columns = [{ ID: "integer" }];
  const spec = { tableName: "LARGE", columns, primaryKey: "ID" };
  const seed = review("DatabaseTable", "UPDATE", [spec, spec]);
  const request = structuredClone(seed["request"]) as Record<
    string,
    { metadata: { annotations: Record<string, string> } }
  >;
  for (const field of ["object", "oldObject"]) {
    const object = request[field];
    if (object !== undefined) object.metadata.annotations["filling"] = comment;
  }
  const body = JSON.stringify({ ...seed, request });
  const response = await app.request("/validate?timeout=5s", { method: "POST", body });
  assertEquals([body.length > 2_900_000, response.status], [true, 200]);
  assertEquals((await response.json()).response.allowed, true);
});

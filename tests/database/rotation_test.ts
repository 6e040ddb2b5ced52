import { assertEquals, assertNotEquals } from "@std/assert";
import { decodeDatabaseSpec } from "../../crds/database/decode.ts";
import type { Database } from "../../crds/database/types.ts";
import type { DatabaseContext } from "../../handlers/database/context.ts";
import { generatePassword } from "../../handlers/database/build/credentials.ts";
import { DATABASE_RESOURCE, databaseObjects } from "../../handlers/database/objects.ts";
import { DatabaseReconciler } from "../../handlers/database/reconcile.ts";
import { PROPAGATION_MS } from "../../handlers/database/steps/rotate.ts";
import { installDefinitions } from "../../handlers/operator/install.ts";
import { KubeClient } from "../../kube/client/client.ts";
import { silentLogger } from "../../kube/telemetry/logger.ts";
import { systemTiming } from "../../kube/timing.ts";
import { changeRolePassword } from "../../postgres/apply/role_password.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import { Kubectl } from "../harness/kubectl.ts";
import { startTestDatabase } from "../harness/postgres_database.ts";
import { serverObjects } from "../harness/server_objects.ts";
import { openTestbed } from "../harness/testbed.ts";
import { eventually } from "../harness/wait.ts";

/** The loop against a real API server and a real PostgreSQL; only the clock, and where the Service leads, are the test's. */
const testbed = await openTestbed();
const database = await startTestDatabase("rotation");
const { signal } = new AbortController();
const namespace = "rotation";
const client = new KubeClient(testbed);
const kubectl = new Kubectl(testbed, namespace);
const servers = serverObjects(kubectl, namespace);
const url = new URL(database.superuserUrl);
const databaseName = url.pathname.slice(1);
const role = "rotation_role";

await installDefinitions({ client, timing: systemTiming, logger: silentLogger }, signal);
await kubectl.run(["create", "namespace", namespace]);
await eventually("Pods may be made", async () => await kubectl.get("serviceaccount", "default") !== undefined);
await database.asSuperuser(`DROP ROLE IF EXISTS ${role}`, `CREATE ROLE ${role} LOGIN`);

let clock = Date.parse("2026-01-31T12:00:00Z");
/** What goes wrong next time: before or after the role has its new password. */
let fault: "none" | "before" | "after" = "none";
const happened: string[] = [];

const changePassword: DatabaseContext["changePassword"] = async (login, passwords, aborted) => {
  const lost = new PostgresError("The connection to PostgreSQL was lost", { kind: "outcomeUnknown" });
  if (fault === "before") throw lost;
  const address = { host: url.hostname, port: Number(url.port), database: databaseName };
  await changeRolePassword({ ...login, ...address, ...passwords }, aborted);
  if (fault === "after") throw lost;
};

/** Every write of an object. */
const writes: string[] = [];
const objects = databaseObjects(client, silentLogger);

const context: DatabaseContext = {
  objects: {
    ...objects,
    make: (manifest, aborted) => {
      writes.push(`make ${manifest.kind} ${manifest.metadata.name}`);
      return objects.make(manifest, aborted);
    },
    correct: (live, manifest, aborted) => {
      writes.push(`correct ${manifest.kind} ${manifest.metadata.name}`);
      return objects.correct(live, manifest, aborted);
    },
  },
  recordEvent: (_object, { reason }) => happened.push(reason),
  changePassword,
  newPassword: () => generatePassword((bytes) => crypto.getRandomValues(bytes)),
  now: () => new Date(clock),
  uptime: () => clock,
  logger: silentLogger,
};

/** A loop that has just started: whatever it needs to know is in the cluster. */
async function reconcile(): Promise<void> {
  const object = await client.get<Database>(DATABASE_RESOURCE, { namespace, name: "db" }, { signal });
  await new DatabaseReconciler(context).reconcile(object, signal);
}

async function ask(requestedAt?: string): Promise<void> {
  const auth = { username: role, ...(requestedAt === undefined ? {} : { rotateRequestedAt: requestedAt }) };
  assertEquals(decodeDatabaseSpec({ type: "postgres", auth }).ok, true);
  await servers.applied("db", { type: "postgres", auth });
}

/** Whether the server lets the role in with that password, by asking it to change to the same one. */
async function logsIn(password: string): Promise<boolean> {
  const login = { host: url.hostname, port: Number(url.port), database: databaseName, username: role };
  try {
    await changeRolePassword({ ...login, current: password, next: password }, signal);
    return true;
  } catch (error) {
    if (error instanceof PostgresError && error.sqlstate === "28P01") return false;
    throw error;
  }
}

Deno.test("a new server gets a password and is asked for no other one", async () => {
  await ask();
  await reconcile();
  const { password = "" } = await servers.secret("db-credentials");
  await database.asSuperuser(`ALTER ROLE ${role} PASSWORD '${password}'`);
  const ready = { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } };
  await kubectl.ok(["patch", "pod", "db", "--subresource=status", "--type=merge", "-p", JSON.stringify(ready)]);
  await reconcile();
  assertEquals((await servers.secret("db-binding"))["password"], password);
  assertEquals(await logsIn(password), true);
});

Deno.test("a loop that finds everything as it should be writes nothing", async () => {
  assertEquals(writes, ["make Service db", "make Secret db-credentials", "make Secret db-binding", "make Pod db"]);
  const { resourceVersion } = (await client.get(DATABASE_RESOURCE, { namespace, name: "db" })).metadata;
  writes.length = 0;
  await reconcile();
  assertEquals(writes, []);
  assertEquals(
    (await client.get(DATABASE_RESOURCE, { namespace, name: "db" })).metadata.resourceVersion,
    resourceVersion,
  );
});

Deno.test("a rotation waits for the Pod to know the next password, then the server and the Secrets have it", async () => {
  const { password: before = "" } = await servers.secret("db-credentials");
  await ask("2026-02-01T00:00:00Z");
  await reconcile();
  const { "next-password": next = "" } = await servers.secret("db-credentials");
  clock += PROPAGATION_MS - 1;
  await reconcile();
  assertEquals(await logsIn(before), true);
  clock += 1;
  await reconcile();
  const { password, "next-password": rest } = await servers.secret("db-credentials");
  assertEquals([password, rest, (await servers.secret("db-binding"))["password"]], [next, undefined, next]);
  assertEquals([await logsIn(next), await logsIn(before)], [true, false]);
  assertNotEquals(next, before);
  assertEquals(happened.includes("CredentialsRotated"), true);
});

Deno.test("a wall clock that is set back by a year lets a rotation wait once more, and no longer", async () => {
  await ask("2026-02-15T00:00:00Z");
  await reconcile();
  const { "next-password": next = "" } = await servers.secret("db-credentials");
  clock -= 365 * 86_400_000;
  await reconcile();
  assertEquals((await servers.secret("db-credentials"))["next-password"], next);
  clock += PROPAGATION_MS;
  await reconcile();
  assertEquals((await servers.secret("db-credentials"))["password"], next);
  assertEquals(await logsIn(next), true);
});

Deno.test("the same request is done once", async () => {
  const before = await servers.secret("db-credentials");
  clock += PROPAGATION_MS;
  await reconcile();
  assertEquals(await servers.secret("db-credentials"), before);
});

for (const when of ["before", "after"] as const) {
  Deno.test(`a rotation that is cut off ${when} the server has the next password ends well`, async () => {
    const { password: before = "" } = await servers.secret("db-credentials");
    await ask(`2026-03-0${when === "before" ? 1 : 2}T00:00:00Z`);
    await reconcile();
    const { "next-password": next = "" } = await servers.secret("db-credentials");
    clock += PROPAGATION_MS;
    fault = when;
    await reconcile();
    await servers.condition("db", "RotatingCredentials=True", "RotationFailing");
    // Both are there for whoever needs to get in now, and one of them works.
    const pending = await servers.secret("db-credentials");
    assertEquals([pending["password"], pending["next-password"]], [before, next]);
    assertEquals([await logsIn(before), await logsIn(next)], when === "before" ? [true, false] : [false, true]);
    fault = "none";
    await reconcile();
    const { password, "next-password": rest } = await servers.secret("db-credentials");
    assertEquals([password, rest, (await servers.secret("db-binding"))["password"]], [next, undefined, next]);
    assertEquals(await logsIn(next), true);
    const { status } = await servers.database("db");
    assertEquals(status?.conditions.some(({ type }) => type === "RotatingCredentials"), false);
  });
}

Deno.test("a rotation that is cut off before the binding has the password brings the binding up to date", async () => {
  const { password: old } = await servers.secret("db-binding");
  await ask("2026-04-01T00:00:00Z");
  await reconcile();
  const { "next-password": next = "" } = await servers.secret("db-credentials");
  clock += PROPAGATION_MS;
  const binding = await kubectl.get("secret", "db-binding");
  await reconcile();
  // As if the last write had not happened.
  await kubectl.ok(["replace", "--force", "-f", "-"], JSON.stringify({ ...binding, metadata: stripped(binding) }));
  assertEquals((await servers.secret("db-binding"))["password"], old);
  await reconcile();
  assertEquals((await servers.secret("db-binding"))["password"], next);
  assertEquals((await servers.secret("db-credentials"))["password"], next);
});

function stripped(object: Record<string, unknown> | undefined): unknown {
  const { name, namespace: where, labels, annotations, ownerReferences } = object?.["metadata"] as Record<
    string,
    unknown
  >;
  return { name, namespace: where, labels, annotations, ownerReferences };
}

Deno.test("nothing is left behind", async () => {
  await kubectl.ok(["delete", "namespace", namespace, "--wait=false"]);
  await database.asSuperuser(`DROP ROLE ${role}`);
  client.close();
  await database.stop();
  await testbed.stop();
});

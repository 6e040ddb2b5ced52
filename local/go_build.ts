import { join } from "@std/path";
import { waitForLock } from "./file_lock.ts";
import { findOnPath, readTextIfPresent, removeIfPresent } from "./files.ts";
import { LocalError, reasonOf } from "./local_error.ts";
import { type Child, startChild } from "./children.ts";
import type { Environment } from "./state.ts";

export interface BuildOptions {
  /** Path of the `go` program. */
  readonly go: string;
  /** Folder with `go.mod` and `go.sum`. */
  readonly tools: string;
  /** Folder that all builds of this machine share: it holds the lock and the half-done build. */
  readonly binaries: string;
  /** Where finished programs go. */
  readonly directory: string;
  readonly linkerFlags: string;
  /** What is still to build; asked when the build may begin. */
  readonly packages: () => readonly string[];
  readonly env: Environment;
  readonly report: (line: string) => void;
}

const GO_MAJOR_MINOR = [1, 26] as const;
const NEEDS_GO = `install Go ${GO_MAJOR_MINOR.join(".")} or set KUBEBUILDER_ASSETS`;
const REPORT_EVERY_MS = 10_000;

/**
 * Finds a Go that is new enough. A newer toolchain is never fetched by an older Go: no checksum of ours covers it.
 *
 * @throws {LocalError} if there is none.
 */
export async function checkGo(env: Environment): Promise<string> {
  const go = findOnPath("go", env["PATH"]);
  if (go === undefined) throw new LocalError(`Cannot build the control plane: ${NEEDS_GO}`);
  const output = await new Deno.Command(go, { args: ["env", "GOVERSION"], env: { GOTOOLCHAIN: "local" }, cwd: "/" })
    .output();
  const version = new TextDecoder().decode(output.stdout).trim();
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  const isNewEnough = Number(major) > GO_MAJOR_MINOR[0] ||
    (Number(major) === GO_MAJOR_MINOR[0] && Number(minor) >= GO_MAJOR_MINOR[1]);
  if (isNewEnough) return go;
  throw new LocalError(`Cannot build the control plane: ${NEEDS_GO}: current value is "${version || go}"`);
}

/** Builds into a folder of its own and moves each program when all are done, so that no half-done build is ever found. */
export async function buildBinaries(options: BuildOptions, signal: AbortSignal): Promise<void> {
  makeFolder(options.binaries);
  const onWait = (owner: string) => options.report(`waiting for the build of the control plane by process ${owner}`);
  const lock = await waitForLock(join(options.binaries, "lock"), onWait, signal);
  try {
    removeStaleBuilds(options.binaries);
    const packages = options.packages();
    if (packages.length === 0) return;
    const building = await Deno.makeTempDir({ dir: options.binaries, prefix: "building-" });
    try {
      await runGo({ ...options, building, packages }, signal);
      publish(building, options.directory);
    } finally {
      removeIfPresent(building);
    }
  } finally {
    lock.release();
  }
}

type Run = Omit<BuildOptions, "packages"> & { readonly building: string; readonly packages: readonly string[] };

async function runGo(options: Run, signal: AbortSignal): Promise<void> {
  const logPath = join(options.binaries, "build.log");
  const target = join(options.building, "bin");
  const child = startChild({
    name: "go",
    command: options.go,
    args: ["install", `-ldflags=${options.linkerFlags}`, ...options.packages],
    recordDirectory: options.building,
    logPath,
    workingDirectory: options.tools,
    env: goEnvironment(target),
    stopSignal: "SIGKILL",
    stopDeadlineMs: 0,
  });
  // Go runs compilers and linkers; they share its session and end with it.
  const stop = () => killGroup(child.pid);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    const status = await reportWhile(child, options.report);
    signal.throwIfAborted();
    if (!status.success) {
      throw new LocalError(`Cannot build the control plane: ${buildFailure(logPath)} (log: ${logPath})`);
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Whatever the user's settings are, this build is the pinned one, static, for this machine. */
function goEnvironment(target: string): Record<string, string> {
  return {
    GOBIN: target,
    CGO_ENABLED: "0",
    GOOS: "linux",
    GOARCH: Deno.build.arch === "aarch64" ? "arm64" : "amd64",
    GOFLAGS: "-mod=readonly",
    GOTOOLCHAIN: "local",
    GOWORK: "off",
    GO111MODULE: "on",
    GOEXPERIMENT: "",
  };
}

async function reportWhile(child: Child, report: (line: string) => void): Promise<Deno.CommandStatus> {
  const start = performance.now();
  const tell = () => {
    const elapsed = formatElapsed(performance.now() - start);
    report(`building the control plane (once per machine, about 4 minutes): ${elapsed}`);
  };
  tell();
  const timer = setInterval(tell, REPORT_EVERY_MS);
  try {
    return await child.ended;
  } finally {
    clearInterval(timer);
  }
}

/** `80_000` -> `1m20s`. */
function formatElapsed(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${String(seconds % 60).padStart(2, "0")}s`;
}

function buildFailure(logPath: string): string {
  const lines = (readTextIfPresent(logPath) ?? "").split("\n").map((line) => line.trim());
  return lines.findLast((line) => line !== "" && !line.startsWith("go: downloading"))?.slice(0, 300) ?? "go failed";
}

function publish(building: string, directory: string): void {
  makeFolder(directory);
  const built = join(building, "bin");
  for (const entry of Deno.readDirSync(built)) {
    Deno.chmodSync(join(built, entry.name), 0o755);
    Deno.renameSync(join(built, entry.name), join(directory, entry.name));
  }
}

/** We hold the lock, so whoever made these is gone. */
function removeStaleBuilds(binaries: string): void {
  for (const entry of Deno.readDirSync(binaries)) {
    if (entry.name.startsWith("building-")) removeIfPresent(join(binaries, entry.name));
  }
}

function killGroup(leader: number): void {
  try {
    Deno.kill(-leader, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function makeFolder(directory: string): void {
  try {
    Deno.mkdirSync(directory, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new LocalError(
      `Cannot write the cache folder ${directory}: set TABLEWRIGHT_CACHE to another one: ${reasonOf(error)}`,
    );
  }
}

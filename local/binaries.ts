import { fromFileUrl, join } from "@std/path";
import { buildBinaries, checkGo } from "./go_build.ts";
import { isExecutableFile } from "./files.ts";
import { LocalError } from "./local_error.ts";
import { type Environment, shortHash } from "./state.ts";

/** Absolute paths of the programs of a control plane. */
export interface Binaries {
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubeControllerManager: string;
  readonly kubeScheduler: string;
  readonly kubectl: string;
  /** Plays a node: its Pods are objects only, no container runs. */
  readonly kwok: string;
}

type Program = keyof Binaries;

interface Source {
  /** File names, the best first: etcd's package builds as `server`. */
  readonly names: readonly string[];
  readonly goPackage: string;
  /** The folder under `tools/` whose `go.mod` pins it: KWOK wants other versions of libraries than Kubernetes. */
  readonly module: "." | "kwok";
}

const SOURCES: Readonly<Record<Program, Source>> = {
  etcd: { names: ["etcd", "server"], goPackage: "go.etcd.io/etcd/server/v3", module: "." },
  kubeApiserver: kubernetes("kube-apiserver"),
  kubeControllerManager: kubernetes("kube-controller-manager"),
  kubeScheduler: kubernetes("kube-scheduler"),
  kubectl: kubernetes("kubectl"),
  kwok: { names: ["kwok"], goPackage: "sigs.k8s.io/kwok/cmd/kwok", module: "kwok" },
};
const PROGRAMS = Object.keys(SOURCES) as readonly Program[];

const TOOLS = fromFileUrl(new URL("./tools", import.meta.url));

function kubernetes(name: string): Source {
  return { names: [name], goPackage: `k8s.io/kubernetes/cmd/${name}`, module: "." };
}

export interface BinariesOptions {
  readonly cacheRoot: string;
  /** `KUBEBUILDER_ASSETS` and `PATH` (for Go) are read from here. */
  readonly env: Environment;
  /** Takes a line of progress while a build takes minutes. */
  readonly report: (line: string) => void;
}

/**
 * Finds the programs, each by itself: in `KUBEBUILDER_ASSETS`, in the cache of this machine, else builds what is missing with Go
 * from the sources that `tools/go.sum` pins. Nothing is downloaded ready-made: we know no published checksum for all of them.
 *
 * @throws {LocalError} if something is missing and there is no Go, or it does not build.
 */
export async function ensureBinaries(options: BinariesOptions, signal: AbortSignal): Promise<Binaries> {
  const found: [Program, string][] = [];
  for (const module of [".", "kwok"] as const) found.push(...await ensureModule(module, options, signal));
  return Object.fromEntries(found) as unknown as Binaries;
}

async function ensureModule(
  module: Source["module"],
  options: BinariesOptions,
  signal: AbortSignal,
): Promise<readonly [Program, string][]> {
  const programs = PROGRAMS.filter((program) => SOURCES[program].module === module);
  const build = await describeBuild(options.cacheRoot, join(TOOLS, module));
  const folders = [options.env["KUBEBUILDER_ASSETS"] ?? "", build.directory].filter((folder) => folder !== "");
  const missing = () => programs.filter((program) => find(program, folders) === undefined);
  if (missing().length > 0) {
    const go = await checkGo(options.env);
    const binaries = join(options.cacheRoot, "bin");
    // Another process may build the same meanwhile: look again when it is our turn.
    const packages = () => missing().map((program) => SOURCES[program].goPackage);
    await buildBinaries({ ...build, go, binaries, packages, env: options.env, report: options.report }, signal);
  }
  return programs.map((program) => [program, mustFind(program, folders)]);
}

function find(program: Program, folders: readonly string[]): string | undefined {
  return folders.flatMap((folder) => SOURCES[program].names.map((name) => join(folder, name))).find(isExecutableFile);
}

function mustFind(program: Program, folders: readonly string[]): string {
  const path = find(program, folders);
  if (path !== undefined) return path;
  throw new LocalError(`Cannot find ${SOURCES[program].names[0]}: the Go build did not leave it in ${folders.at(-1)}`);
}

/** The cache is keyed by all that decides what a build yields. */
async function describeBuild(
  cacheRoot: string,
  tools: string,
): Promise<{ tools: string; directory: string; linkerFlags: string }> {
  const goMod = await Deno.readTextFile(join(tools, "go.mod"));
  const goSum = await Deno.readTextFile(join(tools, "go.sum"));
  const linkerFlags = linkerFlagsFor(goMod);
  const key = await shortHash([goMod, goSum, linkerFlags, Deno.build.arch].join("\0"));
  return { tools, directory: join(cacheRoot, "bin", key), linkerFlags };
}

/** Without a version, `kubectl version` fails and the API server calls itself v0.0.0. */
function linkerFlagsFor(goMod: string): string {
  const [, version, major, minor] = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\d+)/.exec(goMod) ?? [];
  if (version === undefined) return "-s -w";
  const variables = { gitVersion: version, gitMajor: major, gitMinor: minor };
  const settings = Object.entries(variables).map(([name, value]) =>
    `-X k8s.io/component-base/version.${name}=${value}`
  );
  return ["-s -w", ...settings].join(" ");
}

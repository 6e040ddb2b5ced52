import { join } from "@std/path";
import { stopLeftovers } from "./children.ts";
import { type FileLock, tryLock } from "./file_lock.ts";
import { readTextIfPresent, removeIfPresent, writeFileAtomically } from "./files.ts";
import { LocalError, reasonOf } from "./local_error.ts";
import { findFreePort, isPortFree } from "./ports.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The ports of a local run, all on the loopback address. They are kept, so that what a user has pasted stays true. */
export interface LocalPorts {
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly apiServer: number;
  readonly postgres: number;
}

/** What one clone keeps between its runs. Exclusive: one process at a time has it. */
export interface CloneState {
  readonly directory: string;
  readonly ports: LocalPorts;
  /** Children of an earlier run that was killed; they have been stopped. */
  readonly stoppedLeftovers: readonly string[];
  release(): void;
}

export interface StateOptions {
  readonly cacheRoot: string;
  /** Absolute path of the clone. */
  readonly clone: string;
  /** Removes what earlier runs of this clone left. */
  readonly reset: boolean;
}

/**
 * Where everything lives that outlasts a run: `$TABLEWRIGHT_CACHE`, else `~/.cache/tablewright`; as root
 * `/var/cache/tablewright`, since PostgreSQL runs as another user there and cannot enter root's home.
 */
function cacheRootOf(env: Environment, options: { readonly root: boolean }): string {
  const chosen = env["TABLEWRIGHT_CACHE"];
  if (chosen !== undefined && chosen !== "") {
    if (chosen.startsWith("/")) return chosen;
    throw new LocalError(`Cannot use TABLEWRIGHT_CACHE: it must be an absolute path: current value is "${chosen}"`);
  }
  if (options.root) return "/var/cache/tablewright";
  const home = env["HOME"];
  if (home === undefined || home === "") {
    throw new LocalError("Cannot find a cache folder: set HOME or TABLEWRIGHT_CACHE");
  }
  return join(home, ".cache", "tablewright");
}

/** {@linkcode cacheRootOf} for this process. */
export function cacheRoot(): string {
  return cacheRootOf(Deno.env.toObject(), { root: Deno.uid() === 0 });
}

/**
 * Opens the state of a clone: takes its lock, stops what a killed run left, removes the old state if asked, chooses ports.
 *
 * @throws {LocalError} if another run of the clone is alive or the folder cannot be written.
 */
export async function openState(options: StateOptions): Promise<CloneState> {
  const directory = await cloneDirectory(options.cacheRoot, options.clone);
  makeFolder(directory);
  const lock = lockState(directory, options.clone);
  try {
    const parts = [nodesDirectory, controlPlaneDirectory, postgresDirectory];
    const folders = parts.map((part) => part({ directory })).filter(isFolder);
    const stoppedLeftovers = (await Promise.all(folders.map(stopLeftovers))).flat();
    if (options.reset) emptyState(directory);
    writeFileAtomically(join(directory, "clone"), `${options.clone}\n`, { mode: 0o644 });
    return { directory, ports: keepPorts(directory), stoppedLeftovers, release: () => lock.release() };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Where the state of the clone at this absolute path is, whether or not there is any. */
export async function cloneDirectory(cacheRoot: string, clone: string): Promise<string> {
  return join(cacheRoot, "clones", await shortHash(clone));
}

/** The part of a clone's state that belongs to its control plane. */
export function controlPlaneDirectory({ directory }: { readonly directory: string }): string {
  return join(directory, "control-plane");
}

/** The part of a clone's state that belongs to its scheduler and its simulated node. */
export function nodesDirectory({ directory }: { readonly directory: string }): string {
  return join(directory, "nodes");
}

/** The part of a clone's state that belongs to its PostgreSQL. */
export function postgresDirectory({ directory }: { readonly directory: string }): string {
  return join(directory, "postgres");
}

/** The first 16 hexadecimal digits of a text's SHA-256: names a folder. */
export async function shortHash(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(digest.slice(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function lockState(directory: string, clone: string): FileLock {
  const attempt = tryLock(join(directory, "lock"));
  switch (attempt.kind) {
    case "held":
      return attempt.lock;
    case "busy":
      throw new LocalError(
        `Cannot start in ${clone}: another run of this clone is alive (pid ${attempt.owner}): stop it first`,
      );
  }
}

function makeFolder(directory: string): void {
  try {
    Deno.mkdirSync(directory, { recursive: true, mode: 0o755 });
    // A strict umask would keep PostgreSQL, which runs as another user, out.
    Deno.chmodSync(directory, 0o755);
  } catch (error) {
    throw new LocalError(
      `Cannot write the state folder ${directory}: set TABLEWRIGHT_CACHE to another one: ${reasonOf(error)}`,
    );
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function emptyState(directory: string): void {
  for (const entry of Deno.readDirSync(directory)) {
    if (entry.name !== "lock") removeIfPresent(join(directory, entry.name));
  }
}

/** Ports that somebody else has taken meanwhile are chosen anew. */
function keepPorts(directory: string): LocalPorts {
  const path = join(directory, "ports.json");
  const kept = parsePorts(readTextIfPresent(path));
  const keep = (port: number | undefined) => port !== undefined && isPortFree(port) ? port : findFreePort();
  const ports: LocalPorts = {
    etcd: keep(kept.etcd),
    etcdPeer: keep(kept.etcdPeer),
    apiServer: keep(kept.apiServer),
    postgres: keep(kept.postgres),
  };
  writeFileAtomically(path, `${JSON.stringify(ports)}\n`, { mode: 0o644 });
  return ports;
}

function parsePorts(text: string | undefined): Partial<LocalPorts> {
  try {
    const parsed = JSON.parse(text ?? "{}") as Record<string, unknown>;
    const valid = Object.entries(parsed).filter(([, port]) =>
      Number.isInteger(port) && Number(port) > 1_024 && Number(port) < 65_536
    );
    return Object.fromEntries(valid) as Partial<LocalPorts>;
  } catch {
    return {};
  }
}

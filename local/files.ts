import { join } from "@std/path";

/** Writes a file so that a reader (or a crash) sees the old or the new text, never a part. `mode` counts from the first byte on. */
export function writeFileAtomically(path: string, text: string, options: { readonly mode: number }): void {
  const temporary = `${path}.${Deno.pid}.tmp`;
  Deno.writeTextFileSync(temporary, text, { mode: options.mode });
  Deno.chmodSync(temporary, options.mode);
  Deno.renameSync(temporary, path);
}

/** The text of a file, or `undefined` when there is none. */
export function readTextIfPresent(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Removes a file or a folder with all it holds; absent is fine. */
export function removeIfPresent(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Whether somebody may run the file at `path`; `false` when there is none. */
export function isExecutableFile(path: string): boolean {
  try {
    const info = Deno.statSync(path);
    return info.isFile && ((info.mode ?? 0) & 0o111) !== 0;
  } catch {
    return false;
  }
}

/** The absolute path of a program on a `PATH`, or `undefined`. */
export function findOnPath(program: string, path: string | undefined): string | undefined {
  const folders = (path ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return folders.map((folder) => join(folder, program)).find(isExecutableFile);
}

/** Copies a tree; symbolic links are followed. `skip` decides by file name. */
export function copyTree(from: string, to: string, skip: (name: string) => boolean): void {
  Deno.mkdirSync(to, { recursive: true, mode: 0o755 });
  for (const entry of Deno.readDirSync(from)) {
    if (skip(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (Deno.statSync(source).isDirectory) copyTree(source, target, skip);
    else Deno.copyFileSync(source, target);
  }
}

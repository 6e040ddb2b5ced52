import { commandDatabase } from "../command_database.ts";
import { EXIT, type ExitCode, type Terminal } from "../terminal.ts";
import { exitCodeOf, formatJson, formatText } from "./format.ts";
import { type Manifest, ManifestError, parseManifests } from "./manifests.ts";
import { ManifestPlanner, refuseRivals } from "./plan_manifest.ts";
import type { PlannedManifest } from "./planned.ts";

export interface PlanOptions {
  /** Files, folders and `-`. */
  readonly files: readonly string[];
  readonly output: "text" | "json";
  /** Of objects that name none. */
  readonly namespace: string;
  /** See `Config.allowedFunctions`. */
  readonly allowedFunctions: ReadonlySet<string>;
  /** Name of the Database or Secret whose server `DATABASE_URL` leads to. */
  readonly server?: string;
}

const MANIFEST_FILE = /\.(ya?ml|json)$/i;

/**
 * Prints what applying files would run, judged against the live catalog; writes nothing.
 *
 * @throws {StartError} one line, if there is no database to ask.
 */
export async function planCommand(options: PlanOptions, terminal: Terminal, signal: AbortSignal): Promise<ExitCode> {
  const manifests = await readManifests(options, terminal);
  if (manifests === undefined) return EXIT.failed;
  const database = commandDatabase(terminal);
  try {
    const planner = new ManifestPlanner(database, options);
    const planned: PlannedManifest[] = [];
    for (const manifest of manifests) planned.push(await planner.plan(manifest, signal));
    const judged = refuseRivals(planned);
    terminal.print(options.output === "json" ? formatJson(judged) : formatText(judged));
    return exitCodeOf(judged);
  } finally {
    await database.close();
  }
}

/** `undefined`, and a line on standard error, if they cannot be read. */
async function readManifests(options: PlanOptions, terminal: Terminal): Promise<readonly Manifest[] | undefined> {
  const manifests: Manifest[] = [];
  try {
    for (const source of await findFiles(options.files, terminal)) {
      const text = source === "-" ? await terminal.readStdin() : await terminal.readTextFile(source);
      const read = parseManifests(text, { source, namespace: options.namespace });
      manifests.push(...read.manifests);
      for (const warning of read.warnings) terminal.warn(warning);
    }
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    terminal.warn(error.message);
    return undefined;
  }
  if (manifests.length > 0) return manifests;
  terminal.warn(`Cannot plan: there is no DatabaseTable in ${options.files.join(", ")}`);
  return undefined;
}

async function findFiles(files: readonly string[], terminal: Terminal): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of files) {
    if (file === "-") {
      found.push(file);
      continue;
    }
    const names = await listFolder(file, terminal);
    if (names === undefined) found.push(file);
    else {found.push(
        ...names.filter((name) => MANIFEST_FILE.test(name)).map((name) => `${file.replace(/\/$/, "")}/${name}`),
      );}
  }
  return found;
}

async function listFolder(path: string, terminal: Terminal): Promise<readonly string[] | undefined> {
  try {
    return await terminal.listFolder(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new ManifestError(`Cannot read ${path}: there is no such file`);
    if (!(error instanceof Deno.errors.PermissionDenied) && !(error instanceof Deno.errors.NotCapable)) throw error;
    throw new ManifestError(`Cannot read ${path}: it may not be read`);
  }
}

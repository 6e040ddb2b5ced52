/** PostgreSQL's own programs, on machines that have them. A pg_dump reads servers of its own version and older ones. */

/** Major version of the pg_dump on PATH, if psql is there too. */
export async function pgDumpVersion(): Promise<number | undefined> {
  try {
    const versions = await Promise.all(["pg_dump", "psql"].map((name) => run(name, ["--version"])));
    return Number(/\d+/.exec(versions[0] ?? "")?.[0]);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Schemas of one database as SQL. */
export async function pgDump(url: string, schemas: readonly string[]): Promise<string> {
  const wanted = schemas.flatMap((schema) => ["--schema", schema]);
  return await run("pg_dump", ["--no-owner", "--no-privileges", ...wanted, url]);
}

/** Restores them as the role of the URL, who then owns them. */
export async function pgRestore(url: string, script: string): Promise<void> {
  await run("psql", ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", url], script);
}

async function run(program: string, args: readonly string[], input = ""): Promise<string> {
  const path = await Deno.makeTempFile({ prefix: "tablewright-dump-" });
  try {
    await Deno.writeTextFile(path, input);
    const command = input === "" ? args : [...args, "--file", path];
    const { success, stdout, stderr } = await new Deno.Command(program, { args: [...command] }).output();
    if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(path);
  }
}

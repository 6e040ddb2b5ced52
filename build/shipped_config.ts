/** What of `deno.json` matters here. */
export interface DenoConfig {
  readonly imports: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** Only developers need them; the lock file loses entries, so it cannot be frozen, and gains none. */
const OF_DEVELOPERS = ["tasks", "lint", "fmt", "lock"];

/**
 * The configuration of the operator alone: without the imports that none of its sources names, since Deno fetches every package that is
 * named, such as the PostgreSQL of the tests. Pure.
 *
 * @param sources Texts of all modules.
 */
export function shippedConfig(config: DenoConfig, sources: readonly string[]): DenoConfig {
  const isNamed = (name: string) =>
    sources.some((text) => text.includes(`from "${name}"`) || text.includes(`import("${name}")`));
  const imports = Object.fromEntries(Object.entries(config.imports).filter(([name]) => isNamed(name)));
  const kept = Object.entries(config).filter(([field]) => !OF_DEVELOPERS.includes(field));
  return { ...Object.fromEntries(kept), imports };
}

function sourcesIn(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return sourcesIn(path);
    return name.endsWith(".ts") ? [Deno.readTextFileSync(path)] : [];
  });
}

if (import.meta.main) {
  const config = JSON.parse(Deno.readTextFileSync("deno.json")) as DenoConfig;
  const folders = ["crds", "postgres", "kube", "handlers"];
  const sources = [Deno.readTextFileSync("main.ts"), ...folders.flatMap(sourcesIn)];
  await Deno.writeTextFile("deno.json", JSON.stringify(shippedConfig(config, sources), undefined, 2));
}

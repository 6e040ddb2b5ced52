import { assertEquals } from "@std/assert";
import { fromFileUrl, relative } from "@std/path";

const ROOT = fromFileUrl(new URL("..", import.meta.url));
const FOLDERS = ["crds", "postgres", "kube", "handlers", "local", "build", "tests"] as const;

/** What several files may import: the web framework, the standard library, and the runtime itself, which is no package. */
const SHARED_PACKAGES = /^(hono|hono\/.*|@std\/.*|node:.*)$/;
const TEST_PACKAGES = ["fast-check", "@sinonjs/fake-timers"];

/** Files of `postgres/` that read or write something; every other one is pure. */
const POSTGRES_IO = [
  "apply/apply.ts",
  "apply/behind.ts",
  "apply/claim_row.ts",
  "apply/drop.ts",
  "apply/execute.ts",
  "apply/long_step.ts",
  "apply/rebind.ts",
  "apply/record_step.ts",
  "apply/role_password.ts",
  "apply/run_concurrently.ts",
  "apply/run_transaction.ts",
  "apply/search_path.ts",
  "apply/table_lock.ts",
  "apply/undo.ts",
  "catalog/catalog.ts",
  "catalog/dependents.ts",
  "catalog/identity_options.ts",
  "catalog/table_names.ts",
  "catalog/target_catalog.ts",
  "data/facts.ts",
  "data/probe.ts",
  "registry/approval.ts",
  "registry/sweep.ts",
  "registry/registry.ts",
  "registry/registry_bootstrap.ts",
  "registry/registry_gate.ts",
  "registry/registry_reader.ts",
  "resolve/function_catalog.ts",
  "resolve/server_probe.ts",
  "resolve/type_catalog.ts",
  "session/client.ts",
  "session/greeting.ts",
  "session/pool.ts",
  "session/session.ts",
  "session/socket.ts",
  "situation/adoption.ts",
  "situation/look_with_prints.ts",
  "situation/scratch.ts",
  "situation/situation.ts",
];

interface Import {
  readonly file: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function sourceFiles(folder: string): string[] {
  const files: string[] = [];
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) files.push(...sourceFiles(path));
    else if (entry.name.endsWith(".ts")) files.push(relative(ROOT, path));
  }
  return files;
}

/** Import specifiers by text: static, dynamic and re-exports. */
function importsOf(file: string): Import[] {
  const source = Deno.readTextFileSync(`${ROOT}/${file}`).replaceAll(/^\s*(\*|\/\/).*$/gm, "");
  const statements = source.matchAll(/(?:^|\n)\s*(?:import|export)(\s+type)?\s[^;"']*?from\s*"([^"]+)"/g);
  const bare = source.matchAll(/(?:^|\n)\s*import\s*"([^"]+)"/g);
  const dynamic = source.matchAll(/\bimport\(\s*"([^"]+)"/g);
  return [
    ...[...statements].map(([, type, specifier = ""]) => ({ file, specifier, typeOnly: type !== undefined })),
    ...[...bare].map(([, specifier = ""]) => ({ file, specifier, typeOnly: false })),
    ...[...dynamic].map(([, specifier = ""]) => ({ file, specifier, typeOnly: false })),
  ];
}

const FILES = [...FOLDERS.flatMap((folder) => sourceFiles(`${ROOT}${folder}`)), "main.ts", "serve.ts"];
const IMPORTS = FILES.flatMap(importsOf);
const PRODUCT = IMPORTS.filter(({ file }) => !isTest(file));

function isTest(file: string): boolean {
  return file.startsWith("tests/") || file.endsWith("_test.ts");
}

/** `crds`, `postgres`, … of the file that a relative specifier names. */
function targetOf({ file, specifier }: Import): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return relative(ROOT, fromFileUrl(new URL(specifier, `file://${ROOT}${file}`)));
}

function violations(imports: readonly Import[], isBad: (target: string, each: Import) => boolean): string[] {
  return imports.flatMap((each) => {
    const target = targetOf(each);
    return target !== undefined && isBad(target, each) ? [`${each.file} imports ${target}`] : [];
  });
}

function folderOf(path: string): string {
  return path.split("/")[0] ?? "";
}

Deno.test("crds, postgres and kube import nothing of ours outside themselves, types included", () => {
  const layers = ["crds", "postgres", "kube"];
  assertEquals(
    violations(IMPORTS, (target, { file }) => layers.includes(folderOf(file)) && folderOf(target) !== folderOf(file)),
    [],
  );
});

Deno.test("handlers imports crds, postgres, kube, manifests and itself only", () => {
  const allowed = ["handlers", "crds", "postgres", "kube", "manifests"];
  assertEquals(
    violations(PRODUCT, (target, { file }) => folderOf(file) === "handlers" && !allowed.includes(folderOf(target))),
    [],
  );
});

Deno.test("no imports make a circle, types included", () => {
  const targets = Map.groupBy(PRODUCT, ({ file }) => file);
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    if (path.includes(file) || done.has(file)) return;
    for (const each of targets.get(file) ?? []) visit(targetOf(each) ?? "", [...path, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  assertEquals(circles, []);
});

Deno.test("nothing but tests imports tests, nothing but local imports local", () => {
  assertEquals(violations(PRODUCT, (target) => folderOf(target) === "tests"), []);
  assertEquals(
    violations(PRODUCT, (target, { file }) => folderOf(target) === "local" && folderOf(file) !== "local"),
    [],
  );
});

Deno.test("what a command prints and what an import leaves out is decided by pure files", () => {
  const pure =
    /^handlers\/commands\/.*\/(format|print_[a-z_]+|leave_out|manifests|object_name|whole_table|table_spec)\.ts$/;
  const isIo = (target: string) =>
    target.startsWith("kube/") || POSTGRES_IO.includes(target.replace(/^postgres\//, ""));
  const files = new Set(PRODUCT.filter(({ file }) => pure.test(file)).map(({ file }) => file));
  assertEquals(files.size >= 8, true);
  assertEquals(violations(PRODUCT.filter(({ file, typeOnly }) => files.has(file) && !typeOnly), isIo), []);
});

Deno.test("each npm package has one importing file; types are free", () => {
  const importers = new Map<string, Set<string>>();
  for (const { file, specifier, typeOnly } of PRODUCT) {
    if (typeOnly || specifier.startsWith(".") || SHARED_PACKAGES.test(specifier)) continue;
    importers.set(specifier, (importers.get(specifier) ?? new Set()).add(file));
  }
  const shared = [...importers].filter(([, files]) => files.size > 1).map(([name, files]) =>
    `${name}: ${[...files].join(", ")}`
  );
  assertEquals(shared, []);
  const testOnly = TEST_PACKAGES.filter((name) =>
    [...(importers.get(name) ?? [])].some((file) => !file.includes("fake_"))
  );
  assertEquals(testOnly, []);
});

Deno.test("the pure files import no IO file", () => {
  const pure = (file: string) =>
    !isTest(file) &&
    (file.startsWith("crds/") ||
      (file.startsWith("postgres/") && !POSTGRES_IO.includes(file.slice("postgres/".length))) ||
      /^handlers\/.*\/(desired|policy|status|judge|preview|conflict|understand)[a-z_]*\.ts$/.test(file));
  const isIo = (target: string) =>
    target.startsWith("kube/") || POSTGRES_IO.includes(target.replace(/^postgres\//, ""));
  assertEquals(violations(IMPORTS.filter((each) => !each.typeOnly && pure(each.file)), isIo), []);
});

Deno.test("only the entries read the environment, the arguments or end the process", () => {
  const entries = ["main.ts", "serve.ts", "local/", "build/"];
  const readers = FILES.filter((file) => !isTest(file) && !entries.some((entry) => file.startsWith(entry)))
    .filter((file) => /Deno\.(env|args|exit|addSignalListener)\b/.test(Deno.readTextFileSync(`${ROOT}/${file}`)));
  assertEquals(readers, []);
});

Deno.test("SQL goes through the extended protocol: unsafe() is called in postgres/session/session.ts only", () => {
  const callers = FILES.filter((file) => file !== "postgres/session/session.ts" && !isTest(file))
    .filter((file) => /\.unsafe\(/.test(Deno.readTextFileSync(`${ROOT}/${file}`)));
  assertEquals(callers, []);
});

Deno.test("no file is longer than 400 lines and every path in docs/architecture.md exists", () => {
  // Tables of cases are read by searching, not from end to end.
  const long = FILES.filter((file) =>
    !file.startsWith("tests/fixpoint/cases/") && Deno.readTextFileSync(`${ROOT}/${file}`).split("\n").length > 400
  );
  assertEquals(long, []);
  const document = Deno.readTextFileSync(`${ROOT}/docs/architecture.md`);
  const paths = [...document.matchAll(/`([a-z_]+\/[a-z_./-]+|main\.ts|serve\.ts|deno\.json)`/g)].map(([, path = ""]) =>
    path
  );
  assertEquals(paths.length > 20, true);
  const missing = paths.filter((path) => {
    try {
      Deno.statSync(`${ROOT}/${path}`);
      return false;
    } catch {
      return true;
    }
  });
  assertEquals(missing, []);
});

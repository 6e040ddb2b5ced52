// What it prints is its result.
// deno-lint-ignore-file no-console
/** `deno task sbom`: reads `deno info --json main.ts` from standard input, prints the bill of materials of the operator. */
import { billOfMaterials, type Product } from "./bill_of_materials.ts";
import { type ModuleGraph, reachedPackages } from "./shipped_packages.ts";

interface LockFile {
  readonly npm: Readonly<Record<string, { readonly integrity: string }>>;
}

function licenseOf(folder: string): string | undefined {
  const { license } = JSON.parse(Deno.readTextFileSync(`${folder}/package.json`)) as { readonly license?: unknown };
  return typeof license === "string" ? license : undefined;
}

const graph = JSON.parse(await new Response(Deno.stdin.readable).text()) as ModuleGraph;
const packages = reachedPackages(graph);
const lock = JSON.parse(Deno.readTextFileSync("deno.lock")) as LockFile;
const product = JSON.parse(Deno.readTextFileSync("deno.json")) as Product;
const integrity = Object.fromEntries(packages.map(({ id }) => [id, lock.npm[id]?.integrity]));
const licenses = Object.fromEntries(packages.map(({ id, folder }) => [id, licenseOf(folder)]));
console.log(JSON.stringify(billOfMaterials(product, packages, { integrity, licenses }), undefined, 2));

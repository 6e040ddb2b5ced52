import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const GUIDE = Deno.readTextFileSync(`${ROOT}docs/add_a_kind.md`);
const CODE = [...GUIDE.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
const PATHS = CODE.filter((code) => /^(crds|handlers|tests)\/[\w./]+\.(ts|yaml)$/.test(code));

function exists(path: string): boolean {
  try {
    return Deno.statSync(`${ROOT}${path}`).isFile;
  } catch {
    return false;
  }
}

Deno.test("every path in the guide exists, and every file of the Sample kind is in it", () => {
  assertEquals(PATHS.filter((path) => !exists(path)), []);
  const files = ["crds/sample", "handlers/sample"].flatMap((folder) =>
    [...Deno.readDirSync(`${ROOT}${folder}`)].map(({ name }) => `${folder}/${name}`)
  );
  assertEquals(files.length >= 8, true);
  assertEquals(files.filter((path) => !PATHS.includes(path)), []);
});

Deno.test("every name in the guide is in one of the files that it names", () => {
  const texts = PATHS.filter(exists).map((path) => Deno.readTextFileSync(`${ROOT}${path}`));
  const names = CODE.filter((code) => /^[A-Za-z][A-Za-z]+$|^[A-Z_]+$/.test(code));
  assertEquals(names.length > 20, true);
  assertEquals(names.filter((name) => !texts.some((text) => new RegExp(`\\b${name}\\b`).test(text))), []);
});

Deno.test("the guide's kind is in the lists that the guide names", () => {
  for (const file of ["kinds", "operator/install", "admission/serverless"]) {
    assertEquals(/sample/i.test(Deno.readTextFileSync(`${ROOT}handlers/${file}.ts`)), true, file);
  }
});

import { assertEquals, assertThrows } from "@std/assert";
import { ManifestError, parseManifests } from "./manifests.ts";

const PLACE = { source: "tables.yaml", namespace: "default" };
const TABLE = "apiVersion: kopf.demo/v1\nkind: DatabaseTable\nmetadata: {name: a}\nspec: {tableName: A}\n";

Deno.test("parseManifests() reads every document, opens lists and counts what is no DatabaseTable", () => {
  const list = JSON.stringify({
    apiVersion: "v1",
    kind: "List",
    items: [{ apiVersion: "kopf.demo/v1", kind: "DatabaseTable", metadata: { name: "b", namespace: "shop" } }],
  });
  const text = `---\n${TABLE}---\n# nothing\n---\n${list}\n---\napiVersion: v1\nkind: ConfigMap\n`;
  const { manifests, warnings } = parseManifests(text, PLACE);
  assertEquals(manifests.map(({ namespace, name }) => `${namespace}/${name}`), ["default/a", "shop/b"]);
  assertEquals(manifests[0]?.spec, { tableName: "A" });
  assertEquals(warnings, ["tables.yaml: 1 object of other kinds skipped"]);
});

Deno.test("parseManifests() warns of words that kubectl reads as booleans, and not of quoted ones", () => {
  const columns = `${
    TABLE.slice(0, -"spec: {tableName: A}\n".length)
  }spec:\n  columns:\n  - NO: text\n  - "no": text\n`;
  const { warnings } = parseManifests(`${columns}  - NOTE: {type: text, default: off}\n  - NONE: text # no\n`, PLACE);
  assertEquals(warnings, [
    "tables.yaml: line 6: kubectl reads NO as a boolean: quote it",
    "tables.yaml: line 8: kubectl reads off as a boolean: quote it",
  ]);
});

Deno.test("parseManifests() says in one line what is no YAML and what is no object", () => {
  const error = assertThrows(() => parseManifests("a: [", PLACE), ManifestError);
  assertEquals(error.message.split("\n").length, 1);
  assertThrows(() => parseManifests("- 1", PLACE), ManifestError, "each document must be an object");
});

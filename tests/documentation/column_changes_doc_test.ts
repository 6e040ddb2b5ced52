import { assertEquals } from "@std/assert";
import { DOCUMENT, renderSections, replaceSections } from "./column_changes.ts";

Deno.test("docs/column_changes.md says what the planner does", async () => {
  const document = await Deno.readTextFile(DOCUMENT);
  assertEquals(
    document,
    replaceSections(document, await renderSections()),
    `run: deno run --allow-read --allow-write tests/documentation/column_changes.ts`,
  );
});

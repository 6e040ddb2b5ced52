import { assertEquals } from "@std/assert";
import { emptyRelation, type Relation } from "../catalog/relation.ts";
import { adoptTexts, foreignParts, withoutStored } from "./foreign_text.ts";

const RELATION: Relation = {
  ...emptyRelation("public", "t"),
  columns: [{ number: 1, name: "a", type: "text", notNull: false, notNullValidated: true, default: "'x'::text" }],
  constraints: [{
    oid: 7,
    name: "c",
    kind: "check",
    columns: ["a"],
    validated: true,
    enforced: true,
    deferrable: "No",
    expression: "printed anew",
  }],
};
const KNOWN = { "default/a": ["'x'", "'x'::text"], "check/c": ["declared", "printed"] } as const;

Deno.test("foreignParts() finds the parts whose stored text is not the recorded one, the record before the declaration", () => {
  const parts = foreignParts(KNOWN, RELATION);
  assertEquals(parts.map(({ kind, part, origins }) => [kind, part.name, origins.map((texts) => [...texts.values()])]), [
    ["check", "c", [["printed"], ["declared"]]],
  ]);
});

Deno.test("foreignParts() leaves out what nobody declared, and what was never read", () => {
  assertEquals(foreignParts({ "check/c": [null, "printed"] }, RELATION), []);
  assertEquals(foreignParts({ "check/c": ["declared", null] }, RELATION), []);
  assertEquals(foreignParts({}, RELATION), []);
});

Deno.test("adoptTexts() records the texts of the parts that mean the same, and keeps the others", () => {
  const [foreign] = foreignParts(KNOWN, RELATION);
  const same = foreign === undefined ? [] : [foreign.part];
  assertEquals(adoptTexts(KNOWN, same), { ...KNOWN, "check/c": ["declared", "printed anew"] });
  assertEquals(adoptTexts(KNOWN, []), KNOWN);
});

Deno.test("withoutStored() lets what was declared stand for whatever is read", () => {
  assertEquals(withoutStored(KNOWN), { "default/a": ["'x'", null], "check/c": ["declared", null] });
});

import { assertEquals } from "@std/assert";
import { emptyRelation, type Relation } from "../catalog/relation.ts";
import { emptyTable, type Table } from "../table.ts";
import { adoptedTexts, openSketches, printsOf } from "./adopted_texts.ts";
import type { Sketch } from "./scratch.ts";

const CONSTRAINT = { validated: true, enforced: true, deferrable: "No", kind: "check", columns: ["a"] } as const;
const STORED = "((a)::double precision ^ (2)::double precision) > (4)::double precision";
const RELATION: Relation = {
  ...emptyRelation("public", "t"),
  columns: [{ number: 1, name: "a", type: "integer", notNull: false, notNullValidated: true, default: "1" }],
  constraints: [
    { ...CONSTRAINT, oid: 1, name: "odd", expression: STORED },
    { ...CONSTRAINT, oid: 2, name: "plain", expression: "(a > 0)" },
  ],
};
const DESIRED: Table = {
  ...emptyTable("public", "t"),
  columns: [{ name: "a", type: "integer", notNull: false, default: "1" }],
  checks: [{ expression: "a > 0", validated: true }, { expression: "(a ^ 2) > 4", validated: true }],
};

Deno.test("openSketches() asks about nothing that can be told by itself", async () => {
  const known = await adoptedTexts(RELATION, DESIRED);
  assertEquals(Object.keys(known), ["default/a", "check/plain"]);
  assertEquals(await openSketches(RELATION, DESIRED, known), [{ kind: "check", text: "(a ^ 2) > 4" }]);
  const matching = { ...RELATION, constraints: RELATION.constraints.slice(1) };
  assertEquals(await openSketches(matching, DESIRED, known), []);
});

Deno.test("openSketches() makes nothing that names a function or a type of somebody's own", async () => {
  const own = ["app.f(a) > 0", "a::app.word > 0", "a OPERATOR(app.>) 0"];
  const desired = { ...DESIRED, checks: own.map((expression) => ({ expression, validated: true })) };
  assertEquals(await openSketches(RELATION, desired, await adoptedTexts(RELATION, desired)), []);
});

Deno.test("adoptedTexts() finds what the server prints for a declared text, and nothing else", async () => {
  const sketch: Sketch = { kind: "check", text: "(a ^ 2) > 4" };
  const found = await adoptedTexts(RELATION, DESIRED, new Map(printsOf(sketch, new Map([["", STORED]]))));
  assertEquals(found["check/odd"], ["(a ^ 2) > 4", STORED]);
  const other = new Map(printsOf(sketch, new Map([["", STORED.replace("(4)", "(5)")]])));
  assertEquals((await adoptedTexts(RELATION, DESIRED, other))["check/odd"], undefined);
});

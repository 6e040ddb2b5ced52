import { assertEquals } from "@std/assert";
import { hazardsOf } from "./hazard.ts";

function ofDefault(text: string): readonly string[] {
  return hazardsOf({ kind: "AddColumn", column: { name: "a", type: "text", notNull: false, default: text } });
}

Deno.test("hazardsOf() tells a default that calls a volatile function from a text that reads like a call", () => {
  for (
    const text of ["random()", "uuidv7()", "public.uuid_generate_v4()", "encode(public.gen_random_bytes(8), 'hex')"]
  ) {
    assertEquals(ofDefault(text), ["RewritesTable", "VolatileDefault"], text);
  }
  for (const text of ["'random()'", "'it''s nextval(1)'", "E'\\\\'' || random()'", "now()", "lower('uuidv7()')"]) {
    assertEquals(ofDefault(text), [], text);
  }
});

Deno.test("hazardsOf() says that an index is built outside of any transaction, or under a lock", () => {
  const index = {
    unique: true,
    nullsNotDistinct: false,
    method: "btree",
    keys: [{ column: "a", order: "Ascending", nulls: "Last" }],
    include: [],
    valid: true,
  } as const;
  assertEquals(hazardsOf({ kind: "CreateIndex", index }, "Online"), ["OutsideTransaction", "MayFailOnData"]);
  assertEquals(hazardsOf({ kind: "CreateIndex", index }), ["ScansUnderLock", "MayFailOnData"]);
});

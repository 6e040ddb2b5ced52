import { assertEquals, assertThrows } from "@std/assert";
import { readIndexDefinition } from "./read_index.ts";

const PLAIN = { order: "Ascending", nulls: "Last" } as const;

Deno.test("readIndexDefinition() reads plain columns, quoted ones too", () => {
  assertEquals(
    readIndexDefinition(
      'CREATE UNIQUE INDEX "a USING btree (" ON public."T" USING btree (a, "B ""c"", d")',
      [true, true]
        .map(() => false),
      [],
    ),
    { method: "btree", keys: [{ column: "a", ...PLAIN }, { column: 'B "c", d', ...PLAIN }] },
  );
});

Deno.test("readIndexDefinition() reads collation, operator class, order and nulls of columns and expressions", () => {
  const definition = 'CREATE INDEX i ON public.t USING btree (a COLLATE "C" text_pattern_ops DESC NULLS LAST, ' +
    "lower(b) COLLATE public.x NULLS FIRST, ((a || ', b)'::text)) DESC) INCLUDE (c) WHERE (a > 'USING btree ('::text)";
  assertEquals(readIndexDefinition(definition, [false, true, true], ["lower(b)", "((a || ', b)'::text))"]).keys, [
    {
      column: "a",
      opclass: '"pg_catalog"."text_pattern_ops"',
      collation: '"pg_catalog"."C"',
      order: "Descending",
      nulls: "Last",
    },
    { expression: "lower(b)", collation: '"public"."x"', order: "Ascending", nulls: "First" },
    { expression: "(a || ', b)'::text)", order: "Descending", nulls: "First" },
  ]);
});

Deno.test("readIndexDefinition() sees that an operator class has parameters", () => {
  const definition = "CREATE INDEX i ON public.t USING gist (a ext.gist_trgm_ops (siglen='3)2'), b)";
  assertEquals(readIndexDefinition(definition, [false, false], []), {
    method: "gist",
    keys: [{ column: "a", opclass: '"ext"."gist_trgm_ops"', parameters: true, ...PLAIN }, { column: "b", ...PLAIN }],
  });
});

Deno.test("readIndexDefinition() refuses what it cannot follow", () => {
  const definition = "CREATE INDEX i ON public.t USING btree (a SOMETHING)";
  assertThrows(() => readIndexDefinition(definition, [false], []), Error, "cannot read the index definition");
  assertThrows(() => readIndexDefinition("", [false], []), Error, "cannot read the index definition");
});

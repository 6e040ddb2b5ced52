import { assertEquals } from "@std/assert";
import { narrowingOf } from "./limit.ts";

Deno.test("narrowingOf() knows which texts may be too long", () => {
  const fifty = { kind: "characters", maximum: 50 };
  assertEquals(narrowingOf("text", "character varying(50)"), fifty);
  assertEquals(narrowingOf("character varying", "character(50)"), fifty);
  assertEquals(narrowingOf("character varying(51)", "character varying(50)"), fifty);
  assertEquals(narrowingOf("bpchar", "character varying(50)"), fifty);
  assertEquals(narrowingOf("character(50)", "character varying(50)"), undefined);
  assertEquals(narrowingOf("character varying(50)", "text"), undefined);
  assertEquals(narrowingOf("character(3)", "bpchar"), undefined);
});

Deno.test("narrowingOf() knows which bit strings may be too long, or not long enough", () => {
  assertEquals(narrowingOf("bit varying(9)", "bit varying(8)"), { kind: "bits", maximum: 8 });
  assertEquals(narrowingOf("bit(8)", "bit varying(8)"), undefined);
  assertEquals(narrowingOf('"bit"', "bit varying(8)"), { kind: "bits", maximum: 8 });
  assertEquals(narrowingOf("bit varying(8)", "bit(8)"), { kind: "exactBits", length: 8 });
  assertEquals(narrowingOf("bit(8)", "bit(9)"), { kind: "exactBits", length: 9 });
  assertEquals(narrowingOf("bit(8)", "bit(8)"), undefined);
});

Deno.test("narrowingOf() knows the bounds of integers and numerics", () => {
  const smallint = { kind: "integer", type: "smallint", minimum: "-32768", maximum: "32767" };
  assertEquals(narrowingOf("bigint", "smallint"), { ...smallint, from: "integer" });
  assertEquals(narrowingOf("numeric(12,2)", "smallint"), { ...smallint, from: "numeric" });
  assertEquals(narrowingOf("smallint", "integer"), undefined);
  const numeric = { kind: "numeric", precision: 6, scale: 2, type: "numeric(6,2)" };
  assertEquals(narrowingOf("integer", "numeric(6,2)"), { ...numeric, from: "integer" });
  assertEquals(narrowingOf("numeric(7,3)", "numeric(6,2)"), { ...numeric, from: "numeric" });
  assertEquals(narrowingOf("numeric", "numeric(6,2)"), { ...numeric, from: "numeric" });
  assertEquals(narrowingOf("numeric(5,1)", "numeric(6,2)"), undefined);
  assertEquals(narrowingOf("smallint", "numeric(7,2)"), undefined);
  assertEquals(narrowingOf("numeric(5,1)", "numeric"), undefined);
  assertEquals(narrowingOf("integer", "numeric(3,-2)"), {
    kind: "numeric",
    precision: 3,
    scale: -2,
    type: "numeric(3,-2)",
    from: "integer",
  });
});

Deno.test("narrowingOf() has no limit where none holds or no comparison in the old type tells", () => {
  const pairs: readonly (readonly [string, string])[] = [
    ["text", "integer"],
    ["integer", "character varying(3)"],
    ["character varying(9)[]", "character varying(3)[]"],
    ['"public"."status"', "character varying(3)"],
    ["timestamp(6) without time zone", "timestamp(3) without time zone"],
    ["real", "double precision"],
    ["inet", "cidr"],
  ];
  for (const [from, to] of pairs) assertEquals(narrowingOf(from, to), undefined);
  assertEquals(narrowingOf("double precision", "real"), { kind: "real" });
});

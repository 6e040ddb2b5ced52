import { assertEquals } from "@std/assert";
import { classifyTypeChange } from "./type_change.ts";

/** From, to, kind, cost: the costs were measured on PostgreSQL 15 and 18. */
const CASES: readonly (readonly [string, string, string, string])[] = [
  ["character varying(50)", "character varying(60)", "WidenType", "None"],
  ["character varying(50)", "character varying", "WidenType", "None"],
  ["character varying(50)", "text", "WidenType", "None"],
  ["text", "character varying", "WidenType", "None"],
  ["text", "character varying(50)", "NarrowType", "Rewrites"],
  ["character varying(50)", "character varying(40)", "NarrowType", "Rewrites"],
  ["character(5)", "character(9)", "WidenType", "Rewrites"],
  ["numeric(10,2)", "numeric(12,2)", "WidenType", "None"],
  ["numeric(10,2)", "numeric", "WidenType", "None"],
  ["numeric(10,2)", "numeric(12,3)", "WidenType", "Rewrites"],
  ["numeric(10,2)", "numeric(10,3)", "NarrowType", "Rewrites"],
  ["numeric", "numeric(10,2)", "NarrowType", "Rewrites"],
  ["smallint", "integer", "WidenType", "Rewrites"],
  ["integer", "bigint", "WidenType", "Rewrites"],
  ["bigint", "integer", "NarrowType", "Rewrites"],
  ["integer", "numeric", "WidenType", "Rewrites"],
  ["integer", "numeric(5,0)", "NarrowType", "Rewrites"],
  ["real", "double precision", "WidenType", "Rewrites"],
  ["timestamp(3) without time zone", "timestamp without time zone", "WidenType", "None"],
  ["timestamp without time zone", "timestamp(3) without time zone", "NarrowType", "Rewrites"],
  ["timestamp without time zone", "timestamp with time zone", "ChangeType", "RebuildsIndexes"],
  ["bit varying(5)", "bit varying(9)", "WidenType", "None"],
  ["bit(5)", "bit varying", "WidenType", "RebuildsIndexes"],
  ["bit(5)", "bit varying(9)", "WidenType", "Rewrites"],
  ["cidr", "inet", "WidenType", "None"],
  ["json", "jsonb", "ChangeType", "Rewrites"],
  ["character varying(5)[]", "character varying(9)[]", "WidenType", "Rewrites"],
  ["integer", "integer[]", "ChangeType", "Rewrites"],
  ["integer", "text", "ChangeType", "Rewrites"],
  ['"public"."mood"', "text", "ChangeType", "Rewrites"],
];

for (const [from, to, kind, cost] of CASES) {
  Deno.test(`classifyTypeChange() says ${kind} and ${cost} for ${from} -> ${to}`, () => {
    assertEquals(classifyTypeChange(from, to), { kind, cost });
  });
}

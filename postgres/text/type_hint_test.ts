import { assertEquals } from "@std/assert";
import { nearestTypeName, unknownTypeFault } from "./type_hint.ts";

Deno.test("nearestTypeName() names what was meant", () => {
  const cases: Readonly<Record<string, string | undefined>> = {
    interger: "integer",
    intger: "integer",
    varchar2: "varchar",
    strin: undefined,
    string: "text",
    datetime: "timestamp with time zone",
    boolen: "boolean",
    txet: undefined,
    timestampz: "timestamp",
    mood: undefined,
    x: undefined,
  };
  for (const [name, nearest] of Object.entries(cases)) assertEquals(nearestTypeName(name), nearest, name);
});

Deno.test("unknownTypeFault() asks whether the nearest name was meant", () => {
  assertEquals(unknownTypeFault("interger"), "There is no type 'interger': did you mean integer?");
  assertEquals(unknownTypeFault("mood"), "There is no type 'mood'");
});

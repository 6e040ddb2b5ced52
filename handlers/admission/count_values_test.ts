import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ValueCounter } from "./count_values.ts";

function count(...parts: readonly string[]): number {
  const counter = new ValueCounter();
  for (const part of parts) counter.add(part);
  return counter.count;
}

function valuesIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((sum: number, each) => sum + valuesIn(each), 1);
}

Deno.test("ValueCounter never counts less than JSON.parse() makes, and at most the empty ones twice", () => {
  fc.assert(fc.property(fc.json({ maxDepth: 6 }), (text) => {
    const [made, counted] = [valuesIn(JSON.parse(text)), count(text)];
    const empty = text.split("{}").length + text.split("[]").length - 2;
    assertEquals([counted >= made, counted <= made + empty], [true, true], `${counted} for ${made} in ${text}`);
  }));
});

Deno.test("ValueCounter counts the same however the text is cut", () => {
  const text = JSON.stringify({ 'a",{[': ["\\", 'b\\"', {}, [1, 2, "[{,"]], c: null });
  for (let at = 0; at <= text.length; at++) assertEquals(count(text.slice(0, at), text.slice(at)), count(text));
});

Deno.test("ValueCounter takes no comma of a text for a value", () => {
  assertEquals(count(JSON.stringify({ comment: '"a", {b}, [c]\\'.repeat(1_000) })), 2);
});

import { assertEquals, assertStrictEquals } from "@std/assert";
import { noTracer, openTracer } from "./tracing.ts";

Deno.test("without OTEL_DENO there is no tracer, and its library is not even loaded", async () => {
  assertStrictEquals(await openTracer(), noTracer);
  assertEquals(await noTracer.span("work", {}, () => Promise.resolve(7)), 7);
});

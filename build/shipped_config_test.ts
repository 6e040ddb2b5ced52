import { assertEquals } from "@std/assert";
import { shippedConfig } from "./shipped_config.ts";

Deno.test("shippedConfig() keeps what a source imports, statically or not, and nothing for developers", () => {
  const config = {
    version: "1.0.0",
    imports: {
      hono: "npm:hono@4",
      "hono/timeout": "npm:hono@4/timeout",
      late: "npm:late@1",
      "fast-check": "npm:fast-check@4",
    },
    permissions: { operator: { net: true } },
    tasks: { test: "deno test" },
    lock: { frozen: true },
  };
  const sources = ['import { Hono } from "hono";', 'const { late } = await import("late");'];
  assertEquals(shippedConfig(config, sources), {
    version: "1.0.0",
    imports: { hono: "npm:hono@4", late: "npm:late@1" },
    permissions: { operator: { net: true } },
  });
});

import { assertEquals } from "@std/assert";
import { createLogger, memoryLogger } from "./logger.ts";

function capture(format: "plain" | "full" | "json", level: "debug" | "info" = "info") {
  const lines: string[] = [];
  return { lines, logger: createLogger({ format, level, write: (line) => lines.push(line) }) };
}

Deno.test("createLogger() writes plain lines with their properties", () => {
  const { logger, lines } = capture("plain");
  logger.child({ kind: "DatabaseTable" }).info("Table created", { key: "default/a", note: "two words" });
  logger.debug("not shown");
  assertEquals(lines, ['INFO  Table created kind=DatabaseTable key=default/a note="two words"']);
});

Deno.test("createLogger() keeps braces of a message, and an entry on one line", () => {
  const { logger, lines } = capture("plain");
  logger.warn("array '{1,2}'\nERROR forged", { stack: "a\n  at b", text: "x\u001b[31m" });
  assertEquals(lines, ["WARN  array '{1,2}'\\nERROR forged stack=\"a\\n  at b\" text=x\\u001b[31m"]);
});

Deno.test("createLogger() writes one JSON object a line, whose own fields no property replaces", () => {
  const { logger, lines } = capture("json", "debug");
  logger.error("failed\n", { level: "x", count: 2, big: 3n });
  const { time, ...rest } = JSON.parse(lines[0] ?? "");
  assertEquals(rest, { level: "error", message: "failed\n", _level: "x", count: 2, big: "3" });
  assertEquals(typeof time, "string");
});

Deno.test("createLogger() takes secrets out of messages and properties", () => {
  const { logger, lines } = capture("plain");
  logger.info("connecting to postgres://me:s3cret@db:5432/app", {
    password: "s3cret",
    nested: { clientSecret: "s3cret", url: "postgres://me:s3c/r@et@db/app" },
    error: new Error("login with password=s3cret failed"),
    header: "Bearer s3cret.s3cret",
  });
  assertEquals(lines.join().includes("s3c"), false);
  assertEquals(lines.join().includes("postgres://me:[redacted]@db:5432/app"), true);
});

Deno.test("memoryLogger() remembers entries with the properties of its children", () => {
  const logger = memoryLogger();
  logger.child({ a: 1 }).child({ b: 2 }).warn("careful", { c: 3, token: "x" });
  assertEquals(logger.entries, [
    { level: "warn", message: "careful", properties: { a: 1, b: 2, c: 3, token: "[redacted]" } },
  ]);
});

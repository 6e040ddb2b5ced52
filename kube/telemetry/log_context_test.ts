import { assertEquals } from "@std/assert";
import { withLogContext, withoutLogContext } from "./log_context.ts";
import { createLogger } from "./logger.ts";

Deno.test("lines carry what the work they belong to says, through awaits and timers, and nothing of other work", async () => {
  const lines: string[] = [];
  const logger = createLogger({ format: "json", level: "info", write: (line) => lines.push(line) }).child({
    controller: "c",
  });
  const work = async () => {
    await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
    await withLogContext({ step: 2 }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 0));
      logger.info("done", { name: "given here" });
    });
    logger.info("after", { token: "s3cret" });
  };
  await Promise.all(["a", "b"].map((id) => withLogContext({ id, password: "s3cret" }, () => work())));
  withLogContext({ id: "c" }, () => withoutLogContext(() => logger.info("for all")));
  logger.info("outside");

  const entries = lines.map((line) => JSON.parse(line)).map(({ time: _, level: __, ...rest }) => rest);
  const password = "[redacted]";
  assertEquals(entries, [
    { message: "done", controller: "c", id: "a", password, step: 2, name: "given here" },
    { message: "after", controller: "c", id: "a", password, token: password },
    { message: "done", controller: "c", id: "b", password, step: 2, name: "given here" },
    { message: "after", controller: "c", id: "b", password, token: password },
    { message: "for all", controller: "c" },
    { message: "outside", controller: "c" },
  ]);
});

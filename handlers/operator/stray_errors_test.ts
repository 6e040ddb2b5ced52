import { assertEquals } from "@std/assert";
import { listenForStrayErrors } from "./stray_errors.ts";

Deno.test("a rejection and an exception that nobody waits for are told, and end nothing by themselves", async () => {
  const told = Promise.withResolvers<void>();
  const messages: string[] = [];
  {
    using _listening = listenForStrayErrors((error) => {
      messages.push(error instanceof Error ? error.message : String(error));
      if (messages.length === 2) told.resolve();
    });
    void Promise.reject(new Error("rejected"));
    setTimeout(() => {
      throw new Error("thrown");
    });
    await told.promise;
  }
  assertEquals(messages.toSorted(), ["rejected", "thrown"]);
});

import { assertEquals, assertRejects } from "@std/assert";
import type { Database } from "../session/client.ts";
import { PostgresError } from "../session/errors.ts";
import { RegistryGate } from "./registry_gate.ts";

/** A server that answers nobody: each question fails when its asker is stopped. */
function silentDatabase(): { readonly database: Database; readonly asked: AbortSignal[] } {
  const asked: AbortSignal[] = [];
  const database: Database = {
    address: "127.0.0.1:1/nowhere",
    transaction: ({ signal }) => {
      asked.push(signal);
      const failure = Promise.withResolvers<never>();
      const fail = () => failure.reject(new PostgresError("stopped", { kind: "retry" }));
      signal.addEventListener("abort", fail, { once: true });
      return failure.promise;
    },
    concurrently: () => Promise.resolve(false),
    close: () => Promise.resolve(),
  };
  return { database, asked };
}

Deno.test("a question whose asker is stopped is asked again for those who waited for it", async () => {
  const { database, asked } = silentDatabase();
  const gate = new RegistryGate(database, { allowSuperuser: false, now: () => 0 });
  const [first, second] = [new AbortController(), new AbortController()];
  const firstAnswer = assertRejects(() => gate.check(first.signal), PostgresError, "stopped");
  const secondAnswer = assertRejects(() => gate.check(second.signal), PostgresError, "stopped");
  assertEquals(asked, [first.signal]);
  first.abort();
  await firstAnswer;
  assertEquals(asked, [first.signal, second.signal]);
  second.abort();
  await secondAnswer;
});

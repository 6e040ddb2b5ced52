import { assertEquals } from "@std/assert";
import { createFakeTiming } from "../../../kube/fake_timing.ts";
import { Controller } from "../../../kube/queue/controller.ts";
import { silentLogger } from "../../../kube/telemetry/logger.ts";
import { ServerTurns } from "./server_turns.ts";

/** Objects that want a turn, and those that were brought back. */
function setUp(options: { readonly atOnce: number; readonly meet?: () => Promise<void> }) {
  const turns = new ServerTurns(options);
  const back: string[] = [];
  const take = (...keys: string[]) => keys.filter((key) => turns.take(key, () => back.push(key)));
  return { turns, take, back: () => back.splice(0) };
}

Deno.test("ServerTurns lets nobody wait for a server that has not answered yet, and asks it once", async () => {
  const met = Promise.withResolvers<void>();
  let asked = 0;
  const { take, back } = setUp({ atOnce: 2, meet: () => (asked++, met.promise) });
  assertEquals([take("a", "b", "c"), asked, back()], [[], 1, []]);
  met.resolve();
  await met.promise;
  await Promise.resolve();
  assertEquals(back(), ["a", "b", "c"]);
  assertEquals([take("a", "b", "c"), asked], [["a", "b"], 1]);
});

Deno.test("ServerTurns gives so many turns at once, and the next to whoever came first", () => {
  const { turns, take, back } = setUp({ atOnce: 2 });
  assertEquals(take("a", "b", "c", "d", "c"), ["a", "b"]);
  turns.end();
  assertEquals(back(), ["c"]);
  assertEquals(take("c", "e"), ["c"]);
  turns.end();
  assertEquals(back(), ["d"]);
});

Deno.test("ServerTurns brings all back with the last turn, since those that came before may have gone", () => {
  const { turns, take, back } = setUp({ atOnce: 1 });
  assertEquals(take("a", "b", "c"), ["a"]);
  turns.end();
  assertEquals(back(), ["b", "c"]);
  assertEquals(take("c"), ["c"]);
});

Deno.test("ServerTurns gives the turn of one that is gone to the next, whether it waited or was brought back", () => {
  const { turns, take, back } = setUp({ atOnce: 2 });
  assertEquals(take("a", "b", "c", "d", "e", "f"), ["a", "b"]);
  turns.forget("c");
  turns.end();
  assertEquals(back(), ["d"]);
  turns.forget("d");
  assertEquals(back(), ["e"], "nobody else would bring it back while b works");
  turns.forget("e");
  turns.forget("e");
  assertEquals([back(), take("f"), take("g")], [["f"], ["f"], []]);
});

Deno.test("ServerTurns brings back as many as there are turns, also where one before took none", () => {
  const { turns, take, back } = setUp({ atOnce: 3 });
  assertEquals(take("a", "b", "c", "d", "e", "f"), ["a", "b", "c"]);
  turns.end();
  assertEquals(back(), ["d"]);
  turns.end();
  assertEquals(back(), ["e", "f"]);
});

Deno.test("ServerTurns brings all back when the server is closed, although others still hang on it", () => {
  const { turns, take, back } = setUp({ atOnce: 1 });
  take("a", "b", "c");
  turns[Symbol.dispose]();
  assertEquals(back(), ["b", "c"]);
});

Deno.test("ServerTurns leaves workers to the tables of other servers, whatever hangs on two of them", async () => {
  const { promise: answer, resolve: end } = Promise.withResolvers<void>();
  const silent = new ServerTurns({ atOnce: 5 });
  const unknown = new ServerTurns({ atOnce: 5, meet: () => answer });
  const timing = createFakeTiming();
  const reconciled: string[] = [];
  const controller: Controller = new Controller({
    name: "tables",
    workers: 10,
    timing,
    logger: silentLogger,
    reconcile: async (key) => {
      reconciled.push(key);
      const turns = key.startsWith("silent") ? silent : unknown;
      if (key === "healthy" || !turns.take(key, () => controller.enqueue(key, "resync"))) return {};
      await answer;
      turns.end();
      return {};
    },
  });
  for (let index = 0; index < 20; index++) for (const name of ["silent", "unknown"]) controller.enqueue(name + index);
  controller.enqueue("healthy");
  const stop = new AbortController();
  const running = controller.run(stop.signal);
  await timing.tick(0);
  assertEquals([reconciled.includes("healthy"), reconciled.length], [true, 41]);
  end();
  await timing.tick(0);
  stop.abort();
  assertEquals(await running, true);
  assertEquals(new Set(reconciled).size, 41);
});

import { assertEquals } from "@std/assert";
import { eventually } from "../../harness/wait.ts";
import { lockWaiters } from "../stage/lock_waiters.ts";
import { Replicas } from "../stage/replicas.ts";
import { changeTables, makeTables, tablesChanged, tablesMade } from "../stage/workload.ts";

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  Deno.test(`replicas: the leader gets ${signal} while users work`, async () => {
    await using replicas = await Replicas.open("replicas");
    const { stage } = replicas;
    const leader = await replicas.leader();
    await makeTables(stage);
    leader.send(signal);
    await changeTables(stage);
    await replicas.successor(leader);
    await tablesChanged(stage);
    assertEquals(await replicas.end(1), []);
  });
}

Deno.test("replicas: the leader is frozen in the middle of a change and wakes up when another one leads", async () => {
  await using replicas = await Replicas.open("replicas");
  const { stage } = replicas;
  await makeTables(stage);
  await tablesMade(stage);
  const leader = await replicas.leader();
  const release = Promise.withResolvers<void>();
  const reader = stage.database.hold("LOCK TABLE public.apples IN ACCESS SHARE MODE", release.promise);
  await reader.held;
  await changeTables(stage);
  await eventually("the leader waits for the lock", async () => {
    return (await lockWaiters(stage.database.sql)).length > 0;
  });
  leader.send("SIGSTOP");
  release.resolve();
  await reader.ended;
  await replicas.successor(leader);
  leader.send("SIGCONT");
  await tablesChanged(stage);
  await leader.ready();
  assertEquals(await replicas.end(1), []);
});

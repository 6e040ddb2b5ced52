import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { OperatorProcess } from "../../harness/operator_process.ts";
import { eventually } from "../../harness/wait.ts";
import { Replicas } from "../stage/replicas.ts";
import { changeTables, faultsUnder, makeTables, type Step, tablesChanged, tablesMade } from "../stage/workload.ts";

const preload = fromFileUrl(new URL("../moved_clock.ts", import.meta.url));

/** What the signals of `moved_clock.ts` do. */
const FORWARD = "SIGHUP";
const BACK = "SIGUSR2";

/** Moves the wall clock of an operator, and waits until it has moved. */
async function move(operator: OperatorProcess, signal: typeof FORWARD | typeof BACK): Promise<void> {
  const before = operator.words.length;
  operator.sendIfAlive(signal);
  await eventually("the clock was moved", () => operator.words.slice(before).some((word) => word.includes("moved")));
}

/** @returns a step in which the clock is moved before users act, and after which nobody would restart the process. */
function moved(signal: typeof FORWARD | typeof BACK): Step {
  return async ({ operators }) => {
    const operator = operators.at(-1);
    if (operator === undefined) throw new TypeError("an operator must run");
    await move(operator, signal);
    return async () => {
      assertEquals((await operator.ask("/healthz?verbose", 20_000))?.status, 200, `/healthz after ${signal}`);
    };
  };
}

Deno.test("clock: the wall clock is set forward by an hour and back by a year", async () => {
  const fault = { whileMaking: moved(FORWARD), whileChanging: moved(BACK) };
  assertEquals(await faultsUnder("clock", fault, { preload }), []);
});

Deno.test("clock: the wall clock of a leader is set forward and back, and no other one writes at the same time", async () => {
  await using replicas = await Replicas.open("clock-lease", { preload });
  const { stage } = replicas;
  const leader = await replicas.leader();
  await makeTables(stage);
  await move(leader, FORWARD);
  await tablesMade(stage);
  for (const operator of stage.operators) await move(operator, BACK);
  await changeTables(stage);
  await tablesChanged(stage);
  // An hour is more than a term: the leader cannot know that it did not sleep, and asks for the Lease again.
  assertEquals(await replicas.end(1), []);
});

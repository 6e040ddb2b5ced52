import { assertEquals } from "@std/assert";
import { CrashSwitch } from "./crash_switch.ts";

/** Three effects, as far as the operator lives. */
async function run(crash: CrashSwitch): Promise<readonly string[]> {
  const done: string[] = [];
  for (const label of ["first", "second", "third"]) {
    const passage = await crash.before({ label });
    if (!passage.alive) break;
    done.push(label);
    if (!await passage.happened()) break;
    done.push(`heard of ${label}`);
  }
  return done;
}

Deno.test("an operator dies before an effect, or between the effect and its answer", async () => {
  let kills = 0;
  const crash = new CrashSwitch(() => Promise.resolve(void kills++));
  crash.arm({ effect: 2, when: "before" });
  assertEquals(await run(crash), ["first", "heard of first"]);
  crash.arm({ effect: 2, when: "after" });
  assertEquals(await run(crash), ["first", "heard of first", "second"]);
  await crash.fired;
  assertEquals(kills, 2);
});

Deno.test("it dies once, and not before the switch is armed; without a point effects are only written down", async () => {
  let kills = 0;
  const crash = new CrashSwitch(() => Promise.resolve(void kills++));
  await run(crash);
  assertEquals(crash.effects, []);
  crash.arm();
  await run(crash);
  assertEquals([crash.effects, kills, crash.hasFired], [["first", "second", "third"], 0, false]);
  crash.arm({ effect: 1, when: "before" });
  await run(crash);
  assertEquals((await run(crash)).length, 6);
  assertEquals([kills, crash.hasFired], [1, true]);
});

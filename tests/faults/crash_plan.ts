import { assert, assertEquals } from "@std/assert";
import { crashPoints, type Scenario, ScenarioRuns } from "./stage/scenario.ts";
import { compareOutcomes } from "./verdict.ts";

/** Registers a scenario as a test: an undisturbed run, then one for every place where the operator can die. */
export function testCrashPoints(scenario: Scenario): void {
  Deno.test(`crash points: ${scenario.name}`, async (t) => {
    await using runs = await ScenarioRuns.open(scenario);
    const first = await runs.undisturbed();
    const reference = await runs.undisturbed();
    // What differs without a fault could not be told from a fault.
    assertEquals(compareOutcomes(reference.outcome, first.outcome), []);
    assert(reference.effects.length > 0, "an operator that does nothing cannot die at it");
    for (const point of crashPoints(reference)) {
      const effect = `effect ${point.effect} of ${reference.effects.length}: ${reference.effects[point.effect - 1]}`;
      await t.step(`killed ${point.when} ${effect}`, async () => {
        assertEquals(await runs.crashed(reference, point), []);
      });
    }
    assertEquals(await runs.end(), []);
  });
}

/** The same for what an operator does only at its start: each run has a database and a namespace of its own. */
export function testStartCrashPoints(scenario: Scenario): void {
  Deno.test(`crash points: ${scenario.name}`, async (t) => {
    await using runs = await ScenarioRuns.openEmpty(scenario);
    const reference = await runs.undisturbed();
    assertEquals(await runs.end(), []);
    for (const point of crashPoints(reference)) {
      const effect = `effect ${point.effect} of ${reference.effects.length}: ${reference.effects[point.effect - 1]}`;
      await t.step(`killed ${point.when} ${effect}`, async () => {
        await using another = await ScenarioRuns.openEmpty(scenario);
        assertEquals(await another.crashed(reference, point), []);
        assertEquals(await another.end(), []);
      });
    }
  });
}

import { assertEquals } from "@std/assert";
import { DATABASE_RESOURCE } from "../../../handlers/database/objects.ts";
import { startTestNodes } from "../../harness/nodes.ts";
import { openTestbed } from "../../harness/testbed.ts";
import { testCrashPoints } from "../crash_plan.ts";
import { readEndState } from "../oracles/end_state.ts";
import { idle, type Scenario } from "../stage/scenario.ts";
import { openStage, type Stage } from "../stage/stage.ts";
import { applyObject, deleteObject, objectGone, objectReady } from "../stage/stage_objects.ts";
import { markOf, readFaults, readOutcome, storyOf } from "../verdict.ts";

const type = DATABASE_RESOURCE;
const POSTGRES = { type: "postgres", version: "18.1" };
const rotation = { rotateRequestedAt: "2026-01-31T12:00:00Z" };

/** Pods run on a simulated node: no server answers in them, so a rotation is followed as far as it needs none. */
const SCENARIOS: readonly Scenario[] = [
  { name: "create a Database", type, after: POSTGRES },
  { name: "another version of a Database", type, before: POSTGRES, after: { ...POSTGRES, version: "18.2" } },
  {
    name: "rotate the password of a Database",
    type,
    before: POSTGRES,
    after: { ...POSTGRES, auth: rotation },
    until: [
      { condition: "RotatingCredentials=True", reason: "^WaitingForPod$" },
      { condition: "Ready=True", reason: "^PodReady$" },
    ],
  },
];

let nodes: AsyncDisposable;

Deno.test.beforeAll(async () => {
  nodes = await startTestNodes(await openTestbed());
});

Deno.test.afterAll(async () => await nodes[Symbol.asyncDispose]());

SCENARIOS.map((scenario) => ({ ...scenario, varies: true })).forEach(testCrashPoints);

/** The life of a Database whose operator dies before users delete it. @returns what the next operator made, and what is wrong. */
async function deleteUnseen(stage: Stage): Promise<readonly string[]> {
  const subject = { type, name: "subject-1" };
  const operator = await stage.start();
  await applyObject(stage, subject, { ...POSTGRES, deletionPolicy: "Delete" });
  await objectReady(stage, subject);
  operator.send("SIGKILL");
  await operator.ended;
  await deleteObject(stage, subject);
  await objectGone(stage, subject);
  assertEquals(await readEndState(stage), []);
  const mark = await markOf(stage);
  await stage.start();
  await idle(stage);
  const { endState, objects } = await readOutcome(stage, mark);
  await stage.stop();
  const faults = [...endState, ...objects, ...await readFaults(stage)];
  return [...faults, ...storyOf(stage, faults)];
}

/** An operator has no part in it, so there is nothing at which it could die: all that it made has an owner. */
Deno.test("crash points: delete a Database while no operator runs", async () => {
  const stage = await openStage("delete-a-database");
  try {
    assertEquals(await deleteUnseen(stage), []);
  } finally {
    await stage.close();
  }
});

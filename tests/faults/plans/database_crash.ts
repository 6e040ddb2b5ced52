import { DATABASE_RESOURCE } from "../../../handlers/database/objects.ts";
import { startTestNodes } from "../../harness/nodes.ts";
import { openTestbed } from "../../harness/testbed.ts";
import { testCrashPoints } from "../crash_plan.ts";
import type { Scenario } from "../stage/scenario.ts";

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
  { name: "delete a Database", type, before: { ...POSTGRES, deletionPolicy: "Delete" } },
];

let nodes: AsyncDisposable;

Deno.test.beforeAll(async () => {
  nodes = await startTestNodes(await openTestbed());
});

Deno.test.afterAll(async () => await nodes[Symbol.asyncDispose]());

SCENARIOS.map((scenario) => ({ ...scenario, varies: true })).forEach(testCrashPoints);

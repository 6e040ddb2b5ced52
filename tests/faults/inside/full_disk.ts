/** Run by `plans/full_disk.ts` beside a disk of its own. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { SMALL_DISK_VARIABLE } from "../../harness/mount_namespace.ts";
import { eventually } from "../../harness/wait.ts";
import { OwnPostgres } from "../stage/own_postgres.ts";
import type { Stage } from "../stage/stage.ts";
import { tableWaits } from "../stage/stage_objects.ts";
import { faultsUnder, type Step } from "../stage/workload.ts";

const disk = Deno.env.get(SMALL_DISK_VARIABLE);
if (disk === undefined) throw new TypeError(`${SMALL_DISK_VARIABLE} must name a disk that may be filled`);
const ballast = `${disk}/ballast`;

/** Leaves no byte. */
async function fill(): Promise<void> {
  using file = await Deno.open(ballast, { write: true, create: true });
  for (const bytes of [1 << 20, 4_096]) {
    const block = new Uint8Array(bytes);
    await assertRejects(
      async () => {
        for (;;) await file.write(block);
      },
      Error,
      "No space left on device",
    );
  }
}

/** When the operator has tried what there was no room for, in milliseconds since 1970, by the object that needed it. */
function triesOf({ operators }: Stage): readonly (readonly number[])[] {
  const refused = operators.flatMap(({ log }) => log).filter(({ message }) => message.includes("SQLSTATE 53100"));
  const byObject = Map.groupBy(refused, (entry) => entry["name"]);
  return [...byObject.values()].map((entries) => entries.map((entry) => Date.parse(String(entry["time"]))));
}

/** What is there goes on; what needs room waits, and is not tried all the time: each try takes room for the log. */
const noRoomForTables: Step = async (stage) => {
  await fill();
  return async () => {
    assertStringIncludes(await tableWaits(stage, "apples", /^ApplyFailed$/), "disk full (SQLSTATE 53100)");
    assertStringIncludes(await tableWaits(stage, "limes", /^ApplyFailed$/), "disk full (SQLSTATE 53100)");
    await eventually(
      "everything was tried twice",
      () => triesOf(stage).filter(({ length }) => length > 1).length === 4,
    );
    const pauses = triesOf(stage).flatMap((times) => times.slice(1).map((time, index) => time - (times[index] ?? 0)));
    // 2 s behind the first refusal of any of them: an object by itself would be back within 5 to 100 ms.
    assertEquals(pauses.filter((ms) => ms < 500), []);
    await Deno.remove(ballast);
  };
};

/** A server that cannot write its log has to end, and does not start before somebody has made room. */
function noRoomForLog(postgres: OwnPostgres): Step {
  return async (stage) => {
    await fill();
    const { ended } = postgres;
    await assertRejects(() => stage.database.sql("CHECKPOINT"));
    await ended;
    return async () => {
      await tableWaits(stage, "apples", /^DatabaseUnreachable$/);
      await assertRejects(() => postgres.startAgain(), Error, "No space left on device");
      await Deno.remove(ballast);
      await postgres.startAgain();
    };
  };
}

Deno.test("full disk", async () => {
  const postgres = await OwnPostgres.start(disk);
  const fault = { whileMaking: noRoomForTables, whileChanging: noRoomForLog(postgres) };
  assertEquals(await faultsUnder("full-disk", fault, { testbed: postgres.testbed }), []);
});

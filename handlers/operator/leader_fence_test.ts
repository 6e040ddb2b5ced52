import { assertEquals, assertRejects } from "@std/assert";
import { type Leadership, LeadershipLost } from "../../kube/election/leadership.ts";
import type { Database, TransactionOptions } from "../../postgres/session/client.ts";
import { LeaderFence } from "./leader_fence.ts";

const { signal } = new AbortController();
const OPTIONS: TransactionOptions = { readOnly: false, lockTimeoutMs: 1, statementTimeoutMs: 1, signal };

/** A database that notes what reached it. */
function setUp() {
  const ran: string[] = [];
  const database: Database = {
    address: "memory",
    close: () => Promise.resolve(),
    concurrently: async (_options, text) => ran.push(text) > 0,
    async transaction(_options, work) {
      ran.push("BEGIN");
      const note = async (text: string) => void ran.push(text);
      const result = await work({
        query: async (text) => {
          await note(text);
          return [];
        },
        describe: note,
      }).catch((error) => {
        ran.push("ROLLBACK");
        throw error;
      });
      ran.push("COMMIT");
      return result;
    },
  };
  let held = true;
  const leadership: Leadership = { signal, lost: signal, isHeld: () => held };
  const fence = new LeaderFence();
  return { ran, fence, guarded: fence.guard(database), leadership, lose: () => void (held = false) };
}

Deno.test("nothing reaches the database while nobody made this process the leader", async () => {
  const { ran, guarded, fence, leadership } = setUp();
  await assertRejects(() => guarded.transaction(OPTIONS, (each) => each.query("ALTER")), LeadershipLost);
  await assertRejects(() => guarded.concurrently({ lockName: "x", signal }, "CREATE INDEX"), LeadershipLost);
  await fence.during(leadership, () => guarded.transaction(OPTIONS, (each) => each.query("ALTER")));
  await assertRejects(() => guarded.transaction(OPTIONS, (each) => each.query("ALTER")), LeadershipLost);
  assertEquals(ran, ["BEGIN", "ALTER", "COMMIT"]);
});

Deno.test("a term that is over before a statement ends the transaction there", async () => {
  const { ran, guarded, fence, leadership, lose } = setUp();
  const work = fence.during(leadership, () =>
    guarded.transaction(OPTIONS, async (transaction) => {
      await transaction.query("LOCK");
      lose();
      await transaction.query("ALTER");
    }));
  await assertRejects(() => work, LeadershipLost);
  assertEquals(ran, ["BEGIN", "LOCK", "ROLLBACK"]);
});

Deno.test("a term that is over before the commit rolls everything back", async () => {
  const { ran, guarded, fence, leadership, lose } = setUp();
  const work = fence.during(leadership, () =>
    guarded.transaction(OPTIONS, async (transaction) => {
      await transaction.query("ALTER");
      lose();
    }));
  await assertRejects(() => work, LeadershipLost);
  assertEquals(ran, ["BEGIN", "ALTER", "ROLLBACK"]);
});

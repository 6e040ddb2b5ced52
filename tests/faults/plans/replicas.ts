import { assertEquals } from "@std/assert";
import type { OperatorProcess } from "../../harness/operator_process.ts";
import { eventually } from "../../harness/wait.ts";
import { readJournal } from "../ddl_journal.ts";
import { interleavings } from "../oracles/journals.ts";
import { openStage, type Stage } from "../stage.ts";
import { changeTables, makeTables, tablesChanged, tablesMade } from "../workload.ts";
import { readFaults } from "../verdict.ts";

const LEASES = { group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease", namespaced: true };

/** Two replicas on a stage, which elect a leader. */
class Replicas {
  readonly stage: Stage;

  private constructor(stage: Stage) {
    this.stage = stage;
  }

  static async open(): Promise<Replicas> {
    const stage = await openStage("replicas", { elects: true });
    const replicas = new Replicas(stage);
    await stage.start();
    await replicas.leader();
    await stage.start();
    return replicas;
  }

  /** Waits until one of those that run leads. */
  async leader(): Promise<OperatorProcess> {
    return await eventually("one replica leads", async () => {
      const { namespace, user } = this.stage;
      const lease = await user.get<{ spec: { holderIdentity?: string } }>(LEASES, { namespace, name: namespace })
        .catch(() => undefined);
      const holder = lease?.spec.holderIdentity ?? "";
      return this.stage.operators.find(({ name }) => holder.startsWith(`${name}_`));
    });
  }

  /** Waits until another one than `before` leads. */
  async successor(before: OperatorProcess): Promise<OperatorProcess> {
    return await eventually(`another one than ${before.name} leads`, async () => {
      const leader = await this.leader();
      return leader !== before && leader;
    });
  }

  /** What is wrong once both have ended. */
  async end(handOvers: number): Promise<readonly string[]> {
    const { stage } = this;
    await Promise.all(stage.operators.map((each) => each.close()));
    const journal = await readJournal(stage.database.sql);
    const writerOf = (pid: number) => stage.operators.find((each) => stage.backendsOf(each).has(pid))?.name;
    return [...interleavings(journal, writerOf, handOvers), ...await readFaults(stage)];
  }
}

async function withReplicas(work: (replicas: Replicas) => Promise<void>): Promise<void> {
  const replicas = await Replicas.open();
  try {
    await work(replicas);
  } finally {
    await replicas.stage.close();
  }
}

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  Deno.test(`replicas: the leader gets ${signal} while users work`, () =>
    withReplicas(async (replicas) => {
      const { stage } = replicas;
      const leader = await replicas.leader();
      await makeTables(stage);
      leader.send(signal);
      await changeTables(stage);
      await replicas.successor(leader);
      await tablesChanged(stage);
      assertEquals(await replicas.end(1), []);
    }));
}

Deno.test("replicas: the leader is frozen in the middle of a change and wakes up when another one leads", () =>
  withReplicas(async (replicas) => {
    const { stage } = replicas;
    await makeTables(stage);
    await tablesMade(stage);
    const leader = await replicas.leader();
    const release = Promise.withResolvers<void>();
    const reader = stage.database.hold("LOCK TABLE public.apples IN ACCESS SHARE MODE", release.promise);
    await reader.held;
    await changeTables(stage);
    await eventually("the leader waits for the lock", async () => {
      const rows = await stage.database.sql("SELECT pid FROM pg_locks WHERE NOT granted AND locktype = 'relation'");
      return rows.length > 0;
    });
    leader.send("SIGSTOP");
    release.resolve();
    await reader.ended;
    await replicas.successor(leader);
    leader.send("SIGCONT");
    await tablesChanged(stage);
    await leader.ready();
    assertEquals(await replicas.end(1), []);
  }));

import type { OperatorProcess } from "../../harness/operator_process.ts";
import { eventually } from "../../harness/wait.ts";
import { readJournal } from "../ddl_journal.ts";
import { interleavings } from "../oracles/journals.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";
import { readFaults } from "../verdict.ts";

const LEASES = { group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease", namespaced: true };

/** Two replicas on a stage, which elect a leader. */
export class Replicas implements AsyncDisposable {
  readonly stage: Stage;

  private constructor(stage: Stage) {
    this.stage = stage;
  }

  /** Opens a stage for a plan, and starts both; the first one leads. */
  static async open(plan: string, options: StageOptions = {}): Promise<Replicas> {
    const replicas = new Replicas(await openStage(plan, { ...options, elects: true }));
    try {
      await replicas.stage.start();
      const leader = await replicas.leader();
      if (options.webhooks === true) await leader.says("Webhooks are registered");
      await replicas.stage.start();
      return replicas;
    } catch (error) {
      await replicas.stage.close();
      throw error;
    }
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

  /** Lets both end. @param handOvers How often the leadership may have changed hands. @returns what is wrong. */
  async end(handOvers: number): Promise<readonly string[]> {
    const { stage } = this;
    await Promise.all(stage.operators.map((each) => each.close()));
    const journal = await readJournal(stage.database.sql);
    const writerOf = (pid: number) => stage.operators.find((each) => stage.backendsOf(each).has(pid))?.name;
    return [...interleavings(journal, writerOf, handOvers), ...await readFaults(stage)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stage.close();
  }
}

import { type Leadership, LeadershipLost } from "../../kube/election/leadership.ts";
import type { Database, Transaction } from "../../postgres/session/client.ts";

/**
 * Lets only a leader change the database. The clock is asked before each statement and before each commit, so a process that was
 * stopped in the middle of a transaction and goes on after its time rolls back, also before any timer told it so.
 *
 * It spares work and locks; what holds in any case is the registry's claim in the database itself.
 */
export class LeaderFence {
  #leadership: Leadership | undefined;

  /** Opens the fence for one term. */
  async during<T>(leadership: Leadership, work: () => Promise<T>): Promise<T> {
    this.#leadership = leadership;
    try {
      return await work();
    } finally {
      this.#leadership = undefined;
    }
  }

  /** @throws {LeadershipLost} unless this process leads now. */
  pass(): void {
    if (this.#leadership?.isHeld() !== true) throw new LeadershipLost();
  }

  /** The same database, for a leader. Its transactions end with {@linkcode LeadershipLost} otherwise. */
  guard(database: Database): Database {
    return {
      address: database.address,
      close: () => database.close(),
      transaction: async (options, work) => {
        this.pass();
        return await database.transaction(options, async (transaction) => {
          const result = await work(this.#guardTransaction(transaction));
          this.pass();
          return result;
        });
      },
      concurrently: async (options, text) => {
        this.pass();
        return await database.concurrently(options, text);
      },
    };
  }

  #guardTransaction(transaction: Transaction): Transaction {
    return {
      // No promises of their own: a failure that nobody waits for is the transaction's to handle.
      query: (text, parameters, options) => {
        this.pass();
        return transaction.query(text, parameters, options);
      },
      describe: (text) => {
        this.pass();
        return transaction.describe(text);
      },
    };
  }
}

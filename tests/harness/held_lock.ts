import { openDatabase, type Transaction } from "../../postgres/session/client.ts";
import type { TestOperator } from "./operator.ts";

/** A lock that a session of somebody else holds. */
export interface HeldLock {
  /** Ends its transaction, and waits for that. */
  release(): Promise<void>;
}

/** Locks a table of an operator's database in a transaction of somebody else, which has the lock when this resolves. */
export async function holdLock(
  { testbed, databaseUrl }: TestOperator,
  table: string,
  mode: "ACCESS SHARE" | "ACCESS EXCLUSIVE",
): Promise<HeldLock> {
  const url = new URL(testbed.superuserUrl);
  url.pathname = new URL(databaseUrl).pathname;
  const database = openDatabase({ url: url.href, applicationName: "somebody-else", maxConnections: 1 });
  const [taken, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { signal } = new AbortController();
  const limits = { readOnly: false, lockTimeoutMs: 30_000, statementTimeoutMs: 30_000, signal };
  const ended = database.transaction(limits, async (transaction) => {
    await mayRest(transaction);
    await transaction.query(`LOCK TABLE public.${table} IN ${mode} MODE`);
    taken.resolve();
    await released.promise;
  }).finally(() => database.close());
  await Promise.race([taken.promise, ended]);
  return {
    async release() {
      released.resolve();
      await ended;
    },
  };
}

/** Gives a transaction all the time in the world, as that of somebody else has: one of ours ends when it rests for 10 s. */
export async function mayRest(transaction: Transaction): Promise<void> {
  await transaction.query("SELECT set_config('idle_in_transaction_session_timeout', '0', true)");
}

import type { Database } from "../../postgres/session/client.ts";

/** Where the operator is killed. */
export interface CrashPoint {
  /** After so many transactions that write, and statements outside of one, were done. */
  readonly after: number;
  /** Called behind a statement outside of any transaction, before the operator is killed. */
  readonly spoil: (() => Promise<void>) | undefined;
}

/** What a killed operator would not have thrown. */
export class Crash extends Error {
  override readonly name = "Crash";
}

/** The database of an operator that is killed: what it committed stays, and nothing comes behind. */
export function crashing(database: Database, { after, spoil }: CrashPoint): Database {
  let done = 0;
  const count = async (isConcurrent: boolean) => {
    done++;
    if (done < after) return;
    if (isConcurrent) await spoil?.();
    throw new Crash(`killed after ${done}`);
  };
  return {
    address: database.address,
    async transaction(options, work) {
      const value = await database.transaction(options, work);
      if (!options.readOnly) await count(false);
      return value;
    },
    async concurrently(options, text) {
      const ran = await database.concurrently(options, text);
      await count(true);
      return ran;
    },
    close: () => Promise.resolve(),
  };
}

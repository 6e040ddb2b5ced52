import { PostgresError } from "./errors.ts";

/**
 * What a server says of a named statement that it does not know, has already, or cannot run as it was planned. Of our fixed
 * statements none is refused for another reason with these.
 */
const REFUSALS: ReadonlySet<string> = new Set(["26000", "42P05", "0A000"]);

/**
 * Whether the fixed statements of a database go out under names, so that the server parses and plans each of them once a
 * connection. A pooler that lends another server connection to each transaction does not know what an earlier one prepared
 * (PgBouncer before 1.21, or without `max_prepared_statements`): the first refusal ends names for as long as we run.
 */
export class Preparation {
  readonly #onRefusal: () => void;
  #isRefused = false;

  constructor(onRefusal: () => void = () => {}) {
    this.#onRefusal = onRefusal;
  }

  /** Whether names may be used. */
  get isAccepted(): boolean {
    return !this.#isRefused;
  }

  /** To be told of each failure of a statement that went out under a name. */
  judge(error: unknown): void {
    if (this.#isRefused || !isRefusal(error)) return;
    this.#isRefused = true;
    this.#onRefusal();
  }

  /**
   * Runs a transaction, and once more without names if names were refused in it.
   *
   * @param run Leaves nothing behind if it throws.
   */
  async attempt<T>(run: () => Promise<T>): Promise<T> {
    const wasAccepted = this.isAccepted;
    try {
      return await run();
    } catch (error) {
      if (!wasAccepted || this.isAccepted || !isRefusal(error)) throw error;
      return await run();
    }
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof PostgresError && REFUSALS.has(error.sqlstate ?? "");
}

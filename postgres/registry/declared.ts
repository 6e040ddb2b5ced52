import type { Index } from "../table.ts";

/** SQL as we sent it in the statements between two observations. */
export interface Declared {
  /** By {@linkcode expressionKey}; the texts of what kept its text may be left out, also if it has another name now. */
  readonly named: Readonly<Record<string, string>>;
  /** The checks that PostgreSQL gave a name, in the order in which they were made. */
  readonly newChecks: readonly string[];
  /** The indexes that PostgreSQL gave a name, in the order in which they were made. */
  readonly newIndexes: readonly Index[];
  /**
   * Constraints and indexes that the statements dropped: ALTER TYPE makes those of its column anew under their old names,
   * and only this tells them from new ones that took a name that became free. Absent: unknown, then doubtful texts are lost.
   */
  readonly dropped?: readonly string[];
  /** New name by old name, of constraints and indexes. Absent: an ALTER TYPE beside a rename loses the text. */
  readonly renamed?: Readonly<Record<string, string>>;
}

/** Milliseconds that parsing the texts of one review may take: it holds the whole process. */
export const REVIEW_BUDGET_MS = 50;
/**
 * So many texts, of so many characters in all, are always parsed: that bounds the time, and on a busy machine, or while the parser
 * loads, the clock alone would refuse what is harmless.
 */
const FREE_TEXTS = 100;
const FREE_CHARACTERS = 20_000;

/**
 * The time that one caller may spend in the parser. What was parsed before is cached and costs nothing, so an object that
 * was refused on a busy machine gets further when it is applied again.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * let clock = 0;
 * const budget = new ParseBudget(50, () => clock);
 * await budget.spend("integer", () => clock += 60);
 * assertEquals(budget.isSpent, false);
 * for (let text = 0; text < 100; text++) await budget.spend("integer", () => {});
 * assertEquals(budget.isSpent, true);
 * const ofLongTexts = new ParseBudget(50, () => clock += 60);
 * for (let text = 0; text < 6; text++) await ofLongTexts.spend("x".repeat(4_000), () => {});
 * assertEquals(ofLongTexts.isSpent, true);
 * ```
 */
export class ParseBudget {
  readonly #limitMs: number;
  readonly #now: () => number;
  #spentMs = 0;
  #texts = 0;
  #characters = 0;

  /** @param now Milliseconds, from any beginning. */
  constructor(limitMs: number, now: () => number) {
    this.#limitMs = limitMs;
    this.#now = now;
  }

  get isSpent(): boolean {
    const isLong = this.#texts > FREE_TEXTS || this.#characters > FREE_CHARACTERS;
    return isLong && this.#spentMs > this.#limitMs;
  }

  /** Runs something about a text that holds the process, and counts how long; also if it throws. */
  async spend<T>(text: string, work: () => T | Promise<T>): Promise<T> {
    const started = this.#now();
    this.#texts++;
    this.#characters += text.length;
    try {
      return await work();
    } finally {
      this.#spentMs += this.#now() - started;
    }
  }
}

/** For the loop, which must understand whatever was accepted. */
export const NO_BUDGET = new ParseBudget(Infinity, () => 0);

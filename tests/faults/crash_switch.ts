/** Something that the operator does to the world. */
export interface Effect {
  /** As a person tells it apart: `PATCH databasetables/orders/status`, `COMMIT`. */
  readonly label: string;
}

/** Where an operator dies: at its k-th effect (from 1), before it happens, or when it happened and nobody told the operator. */
export interface CrashPoint {
  readonly effect: number;
  readonly when: "before" | "after";
}

/** What a proxy asks about each effect that passes. */
export interface EffectGate {
  /** @returns whether the operator still lives, so that the effect may happen. */
  before(effect: Effect): Promise<Passage>;
}

/** One effect on its way through a proxy. */
export interface Passage {
  readonly alive: boolean;
  /** It happened. @returns whether the operator still lives, so that it may hear of it. */
  happened(): Promise<boolean>;
}

/**
 * Counts the effects of one operator over all proxies, and kills it at the chosen one. Until it is armed nothing is counted.
 */
export class CrashSwitch implements EffectGate {
  readonly #kill: () => Promise<void>;
  #labels: string[] = [];
  #armed = false;
  #point: CrashPoint | undefined;
  #counts: (label: string) => boolean = () => true;
  #fired = Promise.withResolvers<void>();
  #hasFired = false;

  /** @param kill Resolves when the process has ended. */
  constructor(kill: () => Promise<void>) {
    this.#kill = kill;
  }

  /**
   * Counts from here.
   *
   * @param point absent: nobody dies, the effects are only written down.
   * @param counts What belongs to the run: others may go on beside it.
   */
  arm(point?: CrashPoint, counts: (label: string) => boolean = () => true): void {
    this.#labels = [];
    this.#counts = counts;
    this.#armed = true;
    this.#point = point;
    this.#hasFired = false;
    this.#fired = Promise.withResolvers<void>();
  }

  /** Kills nobody any more; goes on to count. */
  disarm(): void {
    this.#point = undefined;
  }

  /** What happened since it was armed. */
  get effects(): readonly string[] {
    return this.#labels;
  }

  get hasFired(): boolean {
    return this.#hasFired;
  }

  /** Resolves when the operator was killed. */
  get fired(): Promise<void> {
    return this.#fired.promise;
  }

  /** Counts an effect, and kills if it is the one. */
  async before({ label }: Effect): Promise<Passage> {
    if (!this.#armed || !this.#counts(label)) return UNCOUNTED;
    const number = this.#labels.push(label);
    const point = this.#point?.effect === number ? this.#point : undefined;
    if (point?.when === "before") {
      await this.#fire();
      return { alive: false, happened: () => Promise.resolve(false) };
    }
    return {
      alive: true,
      happened: async () => {
        // Whoever was disarmed, or armed anew, meanwhile kills nobody for an earlier run.
        if (point?.when !== "after" || this.#point !== point) return true;
        await this.#fire();
        return false;
      },
    };
  }

  async #fire(): Promise<void> {
    this.#point = undefined;
    this.#hasFired = true;
    await this.#kill();
    this.#fired.resolve();
  }
}

/** The passage of what is no effect, or of which nobody keeps count. */
export const UNCOUNTED: Passage = { alive: true, happened: () => Promise.resolve(true) };

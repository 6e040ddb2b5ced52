/**
 * Why a key waits.
 *
 * - `fresh`: somebody changed its object, and looks whether something happens.
 * - `resync`: nobody did: the first list of a start, a sweep, a second look.
 * - `failing`: it failed, and may well fail again.
 */
export type Lane = "fresh" | "resync" | "failing";

const LANES: readonly Lane[] = ["fresh", "resync", "failing"];

/** The one of two lanes whose keys are taken sooner. */
export function betterLane(one: Lane, other: Lane): Lane {
  return LANES.indexOf(one) <= LANES.indexOf(other) ? one : other;
}

/** Of ten keys that are taken eight are fresh if there are so many; a stream of one sort starves no other. */
const TURNS: readonly Lane[] = [...Array<Lane>(4).fill("fresh"), "resync", ...Array<Lane>(4).fill("fresh"), "failing"];

/** A key that was taken. */
export interface TakenKey {
  readonly key: string;
  readonly lane: Lane;
  /** When it began to wait, in milliseconds of the clock that never jumps. */
  readonly since: number;
}

/** Keys that wait to be taken, each once and in one lane; of a lane the one that came first is taken first. */
export class WaitingKeys {
  /** A map keeps the order of insertion, so it is a queue without duplicates. */
  readonly #lanes: Readonly<Record<Lane, Map<string, number>>> = {
    fresh: new Map(),
    resync: new Map(),
    failing: new Map(),
  };
  #turn = 0;

  get size(): number {
    return LANES.reduce((sum, lane) => sum + this.#lanes[lane].size, 0);
  }

  sizeOf(lane: Lane): number {
    return this.#lanes[lane].size;
  }

  has(key: string): boolean {
    return LANES.some((lane) => this.#lanes[lane].has(key));
  }

  *keys(): Generator<string> {
    for (const lane of LANES) yield* this.#lanes[lane].keys();
  }

  /** Adds a key; one that waits already may move to a better lane, never to a worse one. Answers whether it is new. */
  add(key: string, lane: Lane, now: number): boolean {
    const before = LANES.find((each) => this.#lanes[each].has(key));
    if (before === undefined) {
      this.#lanes[lane].set(key, now);
      return true;
    }
    if (betterLane(lane, before) !== before) {
      this.#lanes[lane].set(key, this.#lanes[before].get(key) ?? now);
      this.#lanes[before].delete(key);
    }
    return false;
  }

  /** Takes the next key by turns; `undefined` if none waits, or only failing ones that must not be taken now. */
  take(options: { readonly mayTakeFailing: boolean }): TakenKey | undefined {
    const first = TURNS[this.#turn % TURNS.length] ?? "fresh";
    for (const lane of [first, ...LANES]) {
      if (lane === "failing" && !options.mayTakeFailing) continue;
      const [entry] = this.#lanes[lane];
      if (entry === undefined) continue;
      const [key, since] = entry;
      this.#lanes[lane].delete(key);
      this.#turn++;
      return { key, lane, since };
    }
    return undefined;
  }

  clear(): void {
    for (const lane of LANES) this.#lanes[lane].clear();
  }
}

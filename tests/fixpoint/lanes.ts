/**
 * Lets tests run side by side though their runner runs one after the other: whoever waits for one starts those that come next.
 * Each runs in one of as many lanes as there are, and a lane runs one at a time.
 */
export class Lanes<Lane, Work> {
  readonly #lanes: readonly Lane[];
  readonly #run: (lane: Lane, work: Work) => Promise<void>;
  readonly #queue: readonly Work[];
  readonly #results = new Map<Work, Promise<void>>();
  readonly #busy = new Map<Lane, Promise<void>>();

  constructor(lanes: readonly Lane[], queue: readonly Work[], run: (lane: Lane, work: Work) => Promise<void>) {
    this.#lanes = lanes;
    this.#queue = queue;
    this.#run = run;
  }

  /** Waits for one; fails as it failed. */
  async wait(work: Work): Promise<void> {
    const first = this.#queue.indexOf(work);
    for (const each of this.#queue.slice(first, first + this.#lanes.length)) this.#start(each);
    await this.#results.get(work);
  }

  /** Waits for everything that was started. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#results.values());
  }

  #start(work: Work): void {
    const lane = this.#lanes[this.#queue.indexOf(work) % this.#lanes.length];
    if (lane === undefined || this.#results.has(work)) return;
    const before = this.#busy.get(lane) ?? Promise.resolve();
    const result = before.then(() => this.#run(lane, work));
    this.#results.set(work, result);
    this.#busy.set(lane, result.catch(() => {}));
  }
}

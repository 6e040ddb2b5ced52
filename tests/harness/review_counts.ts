import { eventually } from "./wait.ts";

/** How many reviews came, by path, and what was said to those of `/validate`, by operation and result. */
export type ReviewCounts = Readonly<Record<string, number>>;

const COUNTED = [
  /^controller_runtime_webhook_requests_total\{webhook="\/(mutate|validate)",code="(\d+)"\} (\d+)$/,
  /^tablewright_admission_verdicts_total\{kind="\w+",operation="(\w+)",result="(\w+)"\} (\d+)$/,
];

/** Counts the reviews that an operator gets, from what it tells Prometheus. */
export class ReviewCounter {
  readonly #httpPort: number;
  #before: ReviewCounts = {};

  constructor(httpPort: number) {
    this.#httpPort = httpPort;
  }

  /** What came since it was last asked. */
  async since(): Promise<ReviewCounts> {
    const now = await this.#read();
    const before = this.#before;
    this.#before = now;
    return Object.fromEntries(
      Object.entries(now).map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
        .filter(([, count]) => count > 0),
    );
  }

  async #read(): Promise<ReviewCounts> {
    const text = await eventually("metrics", async () => {
      const response = await fetch(`http://127.0.0.1:${this.#httpPort}/metrics`);
      const body = await response.text();
      return response.ok && body;
    });
    const counts: Record<string, number> = {};
    for (const line of text.split("\n")) {
      for (const pattern of COUNTED) {
        const [, first, second, count] = pattern.exec(line) ?? [];
        if (count !== undefined) counts[`${first} ${second}`] = (counts[`${first} ${second}`] ?? 0) + Number(count);
      }
    }
    return counts;
  }
}

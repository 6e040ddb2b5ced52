/** One measured number beside what the same machine does without us, in the same run. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** `null` where there is nothing to compare with. */
  readonly floor: number | null;
  readonly unit: "ms" | "µs" | "1/s" | "MB" | "calls";
  /** Samples behind `value`. */
  readonly runs: number;
}

const encoder = new TextEncoder();

/** Prints one line of JSON on stdout. */
export function report(figure: Figure): void {
  const { value, floor } = figure;
  const line = { ...figure, value: round(value), floor: floor === null ? null : round(floor) };
  Deno.stdout.writeSync(encoder.encode(`${JSON.stringify(line)}\n`));
}

/** Says on stderr what happens now. */
export function progress(line: string): void {
  Deno.stderr.writeSync(encoder.encode(`${line}\n`));
}

/** The smallest sample that `share` (0 to 1) of all samples do not exceed. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)] ?? NaN;
}

/** Reports p50 and p99 of two series of latencies, in milliseconds. */
export function reportLatency(name: string, samples: readonly number[], floor: readonly number[]): void {
  for (const [label, share] of [["p50", 0.5], ["p99", 0.99]] as const) {
    report({
      name: `${name} ${label}`,
      value: percentile(samples, share),
      floor: percentile(floor, share),
      unit: "ms",
      runs: samples.length,
    });
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

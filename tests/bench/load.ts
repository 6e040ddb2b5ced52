/** What a block of calls took. */
export interface Block {
  /** Milliseconds a call. */
  readonly latencies: readonly number[];
  /** Milliseconds for the whole block. */
  readonly elapsed: number;
}

/** Makes `count` calls, `inFlight` at a time; the call gets its number. */
export async function runBlock(
  size: { readonly count: number; readonly inFlight: number },
  call: (index: number) => Promise<unknown>,
): Promise<Block> {
  const latencies: number[] = [];
  let next = 0;
  const start = performance.now();
  const worker = async () => {
    for (let index = next++; index < size.count; index = next++) {
      const before = performance.now();
      await call(index);
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: size.inFlight }, worker));
  return { latencies, elapsed: performance.now() - start };
}

/** Two series that took turns, block by block, so that neither had the better moments of the machine. */
export interface Comparison {
  readonly floor: readonly Block[];
  readonly measured: readonly Block[];
}

/** Runs one discarded block of each, then `rounds` times floor and measured in turn. */
export async function compare(
  rounds: number,
  runs: { readonly floor: () => Promise<Block>; readonly measured: () => Promise<Block> },
): Promise<Comparison> {
  await runs.floor();
  await runs.measured();
  const floor: Block[] = [];
  const measured: Block[] = [];
  for (let round = 0; round < rounds; round++) {
    floor.push(await runs.floor());
    measured.push(await runs.measured());
  }
  return { floor, measured };
}

/** All latencies of a series. */
export function latenciesOf(blocks: readonly Block[]): readonly number[] {
  return blocks.flatMap((block) => block.latencies);
}

/** Calls a second over all blocks of a series. */
export function rateOf(blocks: readonly Block[]): number {
  const calls = blocks.reduce((sum, block) => sum + block.latencies.length, 0);
  return calls * 1_000 / blocks.reduce((sum, block) => sum + block.elapsed, 0);
}

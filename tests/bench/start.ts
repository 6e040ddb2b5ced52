import { PAUSE_MS, timeEmpty } from "./empty_start.ts";
import { percentile, progress, report } from "./figure.ts";
import { type Credentials, spawnOperator } from "./operator.ts";
import { tableReview } from "./review_body.ts";
import type { Stage } from "./stage.ts";
import { postTrusting } from "./trusting_post.ts";
import { isListening, until } from "./wait.ts";

const RUNS = 8;

/** From the start of the process to the first answered review; the floor is an empty Deno server that accepts connections. */
export async function benchStart(stage: Stage): Promise<void> {
  for (const credentials of ["pod", "kubeconfig"] as const) {
    progress(`start -> first answered review: ${credentials}`);
    const floor: number[] = [];
    const measured: number[] = [];
    // The first start compiles TypeScript, and installs definitions and registry.
    await timeOperator(stage, credentials);
    await timeEmpty(stage.directory);
    for (let run = 0; run < RUNS; run++) {
      floor.push(await timeEmpty(stage.directory));
      measured.push(await timeOperator(stage, credentials));
    }
    report({
      name: `start -> first answered review, ${credentials}`,
      value: percentile(measured, 0.5),
      floor: percentile(floor, 0.5),
      unit: "ms",
      runs: RUNS,
    });
  }
}

async function timeOperator(stage: Stage, credentials: Credentials): Promise<number> {
  const body = tableReview(stage.namespace);
  const start = performance.now();
  const { child, webhookPort } = await spawnOperator(stage, credentials);
  try {
    await until("the operator answers a review", async () => {
      // A refused TCP connection costs less than a failed TLS one.
      return await isListening(webhookPort) && await postTrusting(webhookPort, body) === 200;
    }, PAUSE_MS);
    return performance.now() - start;
  } finally {
    await child.stop();
  }
}

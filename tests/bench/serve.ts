import { findFreePort } from "../../local/ports.ts";
import { PAUSE_MS, timeEmpty } from "./empty_start.ts";
import { percentile, progress, report } from "./figure.ts";
import { startProgram } from "./programs.ts";
import { tableReview } from "./review_body.ts";
import type { Stage } from "./stage.ts";
import { isListening, until } from "./wait.ts";

const RUNS = 8;

/** From the start of `deno task serve` to the first answered review of a table; the floor is an empty Deno server. */
export async function benchServe({ directory, namespace }: Stage): Promise<void> {
  progress("start -> first answered review: serverless");
  const floor: number[] = [];
  const measured: number[] = [];
  const body = tableReview(namespace);
  await timeServe(directory, body);
  for (let run = 0; run < RUNS; run++) {
    floor.push(await timeEmpty(directory));
    measured.push(await timeServe(directory, body));
  }
  report({
    name: "start -> first answered review, serverless",
    value: percentile(measured, 0.5),
    floor: percentile(floor, 0.5),
    unit: "ms",
    runs: RUNS,
  });
}

async function timeServe(directory: string, body: string): Promise<number> {
  const port = findFreePort();
  const start = performance.now();
  const command = ["serve", "--host=127.0.0.1", `--port=${port}`];
  const server = startProgram(directory, { name: "serve", command, args: ["serve.ts"], env: { DATABASE_URL: "" } });
  try {
    await until(
      "the app answers a review",
      async () => await isListening(port) && await isAnswered(port, body),
      PAUSE_MS,
    );
    return performance.now() - start;
  } finally {
    await server.stop();
  }
}

async function isAnswered(port: number, body: string): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/validate`, { method: "POST", body });
  await response.body?.cancel();
  return response.status === 200;
}

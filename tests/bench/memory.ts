import { delay } from "@std/async/delay";
import { findFreePort } from "../../local/ports.ts";
import { BULK_SIZE, operatorWave } from "./bulk.ts";
import { progress, report } from "./figure.ts";
import { type Credentials, startOperator } from "./operator.ts";
import { residentMemory, startProgram } from "./programs.ts";
import type { Stage } from "./stage.ts";
import { isListening, until } from "./wait.ts";

/** What "idle" is: so long nothing was asked. */
const IDLE_MS = 3_000;

/** Resident memory, idle and through a bulk, as in a Pod and with a kubeconfig; the floor is an empty Deno server. */
export async function benchMemory(stage: Stage): Promise<void> {
  const floor = await emptyServerMemory(stage);
  for (const credentials of ["pod", "kubeconfig"] as const) {
    const found = await operatorMemory(stage, credentials);
    for (const [state, value] of Object.entries(found)) {
      report({ name: `memory, ${credentials}, ${state}`, value, floor, unit: "MB", runs: 1 });
    }
  }
}

async function operatorMemory(stage: Stage, credentials: Credentials): Promise<Readonly<Record<string, number>>> {
  progress(`memory: ${credentials}`);
  const operator = await startOperator(stage, credentials);
  try {
    const { pid } = operator.child;
    await delay(IDLE_MS);
    const idle = residentMemory(pid).now;
    await operatorWave(stage, `memory-${credentials}`);
    const { peak } = residentMemory(pid);
    await delay(IDLE_MS);
    return { idle, [`peak with ${BULK_SIZE} tables`]: peak, "idle afterwards": residentMemory(pid).now };
  } finally {
    await operator.stop();
  }
}

async function emptyServerMemory({ directory }: Stage): Promise<number> {
  const port = findFreePort();
  const server = startProgram(directory, { name: "empty", args: ["tests/bench/empty_server.ts", String(port)] });
  try {
    await until("the empty server listens", () => isListening(port));
    await delay(IDLE_MS);
    return residentMemory(server.pid).now;
  } finally {
    await server.stop();
  }
}

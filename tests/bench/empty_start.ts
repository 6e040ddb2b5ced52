import { findFreePort } from "../../local/ports.ts";
import { startProgram } from "./programs.ts";
import { isListening, until } from "./wait.ts";

/** Between two questions whether something answers; every start is asked as often. */
export const PAUSE_MS = 1;

/** The floor of every start: from the start of an empty Deno server until it accepts connections, in ms. */
export async function timeEmpty(directory: string): Promise<number> {
  const port = findFreePort();
  const start = performance.now();
  const server = startProgram(directory, { name: "empty", args: ["tests/bench/empty_server.ts", String(port)] });
  try {
    await until("the empty server listens", () => isListening(port), PAUSE_MS);
    return performance.now() - start;
  } finally {
    await server.stop();
  }
}

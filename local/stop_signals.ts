import { readTextIfPresent } from "./files.ts";

/** A Ctrl-C reaches us twice under `deno task`: from the terminal, and passed on by it. */
const SAME_REQUEST_MS = 1_000;
const HANGUP = 1;

export interface StopRequests {
  /** The first request to stop: stop in order. */
  readonly onStop: (reason: string) => void;
  /** A second one: end at once. */
  readonly onForce: () => void;
}

/** Listens for SIGINT, SIGTERM and SIGHUP until the process ends. */
export function listenForStop({ onStop, onForce }: StopRequests): void {
  let firstAt: number | undefined;
  const handle = (signal: Deno.Signal) => () => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      onStop(signal);
    } else if (now - firstAt > SAME_REQUEST_MS) onForce();
  };
  // Asked before the first listener is added: that makes Deno end on SIGHUP, ignored or not.
  const onHangup = isHangupIgnored() ? () => {} : handle("SIGHUP");
  Deno.addSignalListener("SIGHUP", onHangup);
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, handle(signal));
}

/** Under `nohup` a closed terminal is no reason to stop. */
function isHangupIgnored(): boolean {
  const [, mask] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readTextIfPresent("/proc/self/status") ?? "") ?? [];
  return mask !== undefined && (BigInt(`0x${mask}`) & (1n << BigInt(HANGUP - 1))) !== 0n;
}

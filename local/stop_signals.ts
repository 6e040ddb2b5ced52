import { countStopRequests, type StopRequests } from "../handlers/operator/stop_requests.ts";
import { readTextIfPresent } from "./files.ts";

const HANGUP = 1;

/** Listens for SIGINT, SIGTERM and SIGHUP until the process ends. */
export function listenForStop(requests: StopRequests): void {
  const request = countStopRequests(requests, () => performance.now());
  // Asked before the first listener is added: that makes Deno end on SIGHUP, ignored or not.
  const onHangup = isHangupIgnored() ? () => {} : request;
  Deno.addSignalListener("SIGHUP", onHangup);
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, request);
}

/** Under `nohup` a closed terminal is no reason to stop. */
function isHangupIgnored(): boolean {
  const [, mask] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readTextIfPresent("/proc/self/status") ?? "") ?? [];
  return mask !== undefined && (BigInt(`0x${mask}`) & (1n << BigInt(HANGUP - 1))) !== 0n;
}

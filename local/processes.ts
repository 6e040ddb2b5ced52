import { delay } from "@std/async/delay";

/** What tells a process from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, field 22 of `/proc/<pid>/stat`. */
  readonly startTime: string;
}

export interface ProcessInfo extends ProcessIdentity {
  readonly parentPid: number;
  /** `Z` is a process that has ended and that nobody has waited for. */
  readonly state: string;
}

/** Reads `/proc`; `undefined` when there is no such process. */
export function readProcess(pid: number): ProcessInfo | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The name stands in parentheses and may hold spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid, state: fields[0] ?? "", parentPid: Number(fields[1]), startTime: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

/** The arguments of a process; empty when it is gone. */
export function readArguments(pid: number): readonly string[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0").filter((each) => each !== "");
  } catch {
    return [];
  }
}

/** Whether this very process still runs; one that has only not been waited for does not. */
export function isRunning(identity: ProcessIdentity): boolean {
  const info = readProcess(identity.pid);
  return info !== undefined && info.startTime === identity.startTime && info.state !== "Z" && info.state !== "X";
}

/** Sends a signal to this very process; `false` when it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: Deno.Signal): boolean {
  if (!isRunning(identity)) return false;
  try {
    Deno.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Ends a process that is not our child: `signal`, then SIGKILL after `deadlineMs`. */
export async function endProcess(
  identity: ProcessIdentity,
  options: { readonly signal: Deno.Signal; readonly deadlineMs: number },
): Promise<void> {
  signalProcess(identity, options.signal);
  const killAt = performance.now() + options.deadlineMs;
  let killed = false;
  while (isRunning(identity)) {
    if (!killed && performance.now() > killAt) killed = signalProcess(identity, "SIGKILL");
    await delay(20);
  }
}

import { fromFileUrl, join } from "@std/path";
import { type Child, startChild } from "../../local/children.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const STOP_DEADLINE_MS = 10_000;

/** A Deno program of this project, in a process of its own. */
export interface Program {
  /** Names its log. */
  readonly name: string;
  /** From the root of the project, with arguments. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Of `deno`; default `run`. */
  readonly command?: readonly string[];
}

let started = 0;

/** Starts a program; it ends with us, also when we are killed. */
export function startProgram(directory: string, { name, args, env = {}, command = ["run"] }: Program): Child {
  const unique = `${name}-${++started}`;
  return startChild({
    name: unique,
    command: Deno.execPath(),
    args: [...command, "--quiet", "--allow-all", ...args],
    recordDirectory: directory,
    logPath: join(directory, `${unique}.log`),
    workingDirectory: ROOT,
    env,
    stopSignal: "SIGTERM",
    stopDeadlineMs: STOP_DEADLINE_MS,
  });
}

/** Resident memory of a process in MB: now, and the most it ever had. */
export function residentMemory(pid: number): { readonly now: number; readonly peak: number } {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const read = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? NaN) / 1_024;
  return { now: read("VmRSS"), peak: read("VmHWM") };
}

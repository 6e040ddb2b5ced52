import { join } from "@std/path";
import { readTextIfPresent, removeIfPresent, writeFileAtomically } from "./files.ts";
import { endProcess, isRunning, type ProcessIdentity, readProcess, signalProcess } from "./processes.ts";

/** A server that we start, watch and stop. */
export interface ChildOptions {
  /** Names its record; one running child a name and folder. */
  readonly name: string;
  /** Absolute path of the program. */
  readonly command: string;
  readonly args: readonly string[];
  /** Where its record is kept, for a later start that must stop what a killed one left. */
  readonly recordDirectory: string;
  /** Takes both output streams; begins anew with each start. */
  readonly logPath: string;
  readonly workingDirectory: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Runs as this user and group (only root may ask for it). */
  readonly uid?: number;
  /** The signal of an orderly stop; the kernel sends it too when we die. */
  readonly stopSignal: Deno.Signal;
  /** How long an orderly stop may take, in milliseconds, before SIGKILL. */
  readonly stopDeadlineMs: number;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  /** Resolves, never rejects, when the process has ended for whatever reason: how it ended. */
  readonly ended: Promise<Deno.CommandStatus>;
  /** Resolves when the process has ended. May be called again. */
  stop(signal?: Deno.Signal): Promise<void>;
}

interface ChildRecord extends ProcessIdentity {
  readonly stopSignal: Deno.Signal;
  readonly stopDeadlineMs: number;
}

const live = new Set<ProcessIdentity>();

const RECORD_SUFFIX = ".child.json";

/** Deno cannot hand a file to a child as its output; the shell can, and becomes the program, so the process number stays. */
const REDIRECT = 'log=$1; shift; exec "$@" >"$log" 2>&1 </dev/null';

/**
 * Starts a child in a session of its own: a Ctrl-C in the terminal reaches us alone, and we stop the children in order.
 *
 * @throws {Error} if the system cannot start any process.
 */
export function startChild(options: ChildOptions): Child {
  const process = new Deno.Command("/bin/sh", {
    args: [
      "-c",
      REDIRECT,
      "sh",
      options.logPath,
      ...parentDeathPrefix(options.stopSignal),
      options.command,
      ...options.args,
    ],
    cwd: options.workingDirectory,
    env: { ...options.env },
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    detached: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const identity = { pid: process.pid, startTime: readProcess(process.pid)?.startTime ?? "" };
  const recordPath = join(options.recordDirectory, `${options.name}${RECORD_SUFFIX}`);
  const record: ChildRecord = { ...identity, stopSignal: options.stopSignal, stopDeadlineMs: options.stopDeadlineMs };
  writeFileAtomically(recordPath, JSON.stringify(record), { mode: 0o600 });
  live.add(identity);
  const ended = process.status.then((status) => {
    live.delete(identity);
    removeIfPresent(recordPath);
    return status;
  });
  return {
    name: options.name,
    pid: process.pid,
    logPath: options.logPath,
    ended,
    async stop(signal = options.stopSignal) {
      signalProcess(identity, signal);
      const timer = setTimeout(() => signalProcess(identity, "SIGKILL"), options.stopDeadlineMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Ends the children of this process at once and without order, when there is no time for more. */
export function killAllChildren(): void {
  for (const identity of live) signalProcess(identity, "SIGKILL");
}

/**
 * Stops the children that an earlier process recorded in this folder and could not stop itself; those and only those.
 *
 * @returns the names of those that still ran.
 */
export async function stopLeftovers(recordDirectory: string): Promise<readonly string[]> {
  const stopped = await Promise.all(
    readRecords(recordDirectory).map(async ([name, record]) => {
      const ran = isRunning(record);
      if (ran) await endProcess(record, { signal: record.stopSignal, deadlineMs: record.stopDeadlineMs });
      removeIfPresent(join(recordDirectory, `${name}${RECORD_SUFFIX}`));
      return ran ? [name] : [];
    }),
  );
  return stopped.flat();
}

/** How a child ended, as part of a line: its own last words are shown only when it ended by itself. */
export function describeEnd(child: Child, status: Deno.CommandStatus): string {
  const log = `(log: ${child.logPath})`;
  if (status.signal !== null) return `${child.name} was ended by ${status.signal} ${log}`;
  return `${child.name} ended with code ${status.code}: ${lastLogLine(child.logPath)} ${log}`;
}

/** How the three programs mark what is worse than a warning: klog, etcd's JSON, PostgreSQL. */
const ERROR_LINE = /^[EF]\d{4} |"level":"(error|fatal|panic)"|\b(FATAL|PANIC):|^error:|command failed/i;

/** The last line of a log that tells of an error, else its last line. */
export function lastLogLine(logPath: string): string {
  const lines = (readTextIfPresent(logPath) ?? "").split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const line = lines.findLast((each) => ERROR_LINE.test(each)) ?? lines.at(-1);
  return line === undefined ? "the log is empty" : line.slice(0, 300);
}

function readRecords(directory: string): (readonly [string, ChildRecord])[] {
  const names = [...Deno.readDirSync(directory)].map((entry) => entry.name).filter((name) =>
    name.endsWith(RECORD_SUFFIX)
  );
  return names.flatMap((file) => {
    const name = file.slice(0, -RECORD_SUFFIX.length);
    const record = parseRecord(readTextIfPresent(join(directory, file)));
    return record === undefined ? [] : [[name, record] as const];
  });
}

function parseRecord(text: string | undefined): ChildRecord | undefined {
  try {
    const record = JSON.parse(text ?? "") as Partial<ChildRecord>;
    if (typeof record.pid !== "number" || typeof record.startTime !== "string" || record.startTime === "") {
      return undefined;
    }
    return {
      pid: record.pid,
      startTime: record.startTime,
      stopSignal: record.stopSignal ?? "SIGTERM",
      stopDeadlineMs: record.stopDeadlineMs ?? 5_000,
    };
  } catch {
    return undefined;
  }
}

let parentDeathSupport: boolean | undefined;

/** `setpriv` of util-linux asks the kernel to signal the child when we die; without it the next start cleans up. */
function parentDeathPrefix(signal: Deno.Signal): readonly string[] {
  parentDeathSupport ??= supportsParentDeathSignal();
  return parentDeathSupport ? ["setpriv", "--pdeathsig", signal.replace("SIG", ""), "--"] : [];
}

function supportsParentDeathSignal(): boolean {
  try {
    const probe = new Deno.Command("setpriv", {
      args: ["--pdeathsig", "TERM", "--", "true"],
      stdout: "null",
      stderr: "null",
    });
    return probe.outputSync().success;
  } catch {
    return false;
  }
}

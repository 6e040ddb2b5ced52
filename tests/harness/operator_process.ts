import { fromFileUrl } from "@std/path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { findFreePort } from "../../local/ports.ts";
import { imageFlags } from "./dockerfile.ts";
import { eventually } from "./wait.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

export interface OperatorProcessOptions {
  /** For messages and for the identity of the process in the Lease. */
  readonly name: string;
  /** Absent: it must find the cluster in another way. */
  readonly kubeconfigPath?: string;
  readonly databaseUrl?: string;
  /** Besides ports and the log format. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Default: free ones. If they are given, `flags` must say so where they are not the usual ones. */
  readonly ports?: { readonly http: number; readonly webhook: number };
  /** What the process finds in `/var/run`, as the only thing there, on a file system of which it can write nothing: that of a Pod. */
  readonly runFolder?: string;
  /** Whether it takes itself for one in a Pod, behind a Service. */
  readonly inPod?: boolean;
  /** A module that runs before the operator does. */
  readonly preload?: string;
}

/** One line of the log. */
export interface LogEntry {
  readonly level: string;
  readonly message: string;
  readonly [property: string]: unknown;
}

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  /** `performance.now()`. */
  readonly at: number;
}

/** The operator as a process of its own: `deno run main.ts`, which can be stopped, frozen and killed like any other. */
export class OperatorProcess {
  readonly name: string;
  readonly httpPort: number;
  readonly webhookPort: number;
  readonly ended: Promise<ProcessEnd>;
  readonly log: LogEntry[] = [];
  /** What was written that is no entry of the log, such as the last words. */
  readonly words: string[] = [];
  readonly #child: Deno.ChildProcess;
  #end: ProcessEnd | undefined;

  constructor(options: OperatorProcessOptions) {
    this.name = options.name;
    this.httpPort = options.ports?.http ?? findFreePort();
    this.webhookPort = options.ports?.webhook ?? findFreePort();
    const ports = ["--http-port", `${this.httpPort}`, "--webhook-port", `${this.webhookPort}`];
    this.#child = spawn(options, options.ports === undefined ? ports : []);
    const read = this.#readLog();
    this.ended = this.#child.status.then(async ({ code, signal }) => {
      const at = performance.now();
      await read;
      this.#end = { code, signal, at };
      return this.#end;
    });
  }

  /** How it ended, once it has. */
  get end(): ProcessEnd | undefined {
    return this.#end;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** SIGTERM asks it to end, SIGKILL ends it, SIGSTOP freezes it and SIGCONT lets it go on. */
  send(signal: "SIGTERM" | "SIGINT" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    this.#child.kill(signal);
  }

  /** Answers a page of the operations server; `undefined` if nobody answers in time. */
  async ask(
    path: string,
    timeoutMs = 1_000,
  ): Promise<{ readonly status: number; readonly text: string } | undefined> {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await fetch(`http://127.0.0.1:${this.httpPort}${path}`, { signal });
      return { status: response.status, text: await response.text() };
    } catch {
      return undefined;
    }
  }

  async ready(): Promise<this> {
    let answer: Awaited<ReturnType<typeof this.ask>>;
    const isReady = async () => {
      // It asks its own listener first, for up to 2 s.
      answer = await this.ask("/readyz?verbose", READINESS_MS);
      return answer?.status === 200;
    };
    for (let minute = 1;; minute++) {
      try {
        await this.#whileAlive("is ready", isReady);
        return this;
      } catch (error) {
        if (minute < START_MINUTES) continue;
        const said = this.log.slice(-5).map((entry) => JSON.stringify(entry));
        const story = [answer?.text ?? "/readyz does not answer", ...this.words.slice(-5), ...said].join("\n");
        throw new Error(`${this.name} did not become ready: ${story}`, { cause: error });
      }
    }
  }

  /** Waits for a line of the log whose message contains the text. */
  async says(text: string): Promise<LogEntry> {
    return await this.#whileAlive(`says "${text}"`, () => this.log.find(({ message }) => message.includes(text)));
  }

  /** Asks it to end and waits; kills it if it does not. For the end of a test. */
  async close(): Promise<void> {
    for (const signal of ["SIGCONT", "SIGTERM"] as const) this.sendIfAlive(signal);
    const killer = setTimeout(() => this.sendIfAlive("SIGKILL"), 30_000);
    await this.ended;
    clearTimeout(killer);
  }

  async #whileAlive<T>(what: string, ask: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
    const died = this.ended.then(({ code, signal }) => {
      throw new Error(`${this.name} ended with ${signal ?? code} before it ${what}: ${this.words.join("\n")}`);
    });
    // Many processes may start at a time.
    return await Promise.race([eventually(`${this.name} ${what}`, ask, { withinMs: 120_000 }), died]);
  }

  /** As `send()`, also where the process may have ended meanwhile. */
  sendIfAlive(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  async #readLog(): Promise<void> {
    for await (const line of createInterface({ input: Readable.from(this.#child.stderr) })) {
      const entry = parseEntry(line);
      if (entry === undefined) this.words.push(line);
      else this.log.push(entry);
    }
  }
}

const READINESS_MS = 5_000;
/** To load its modules takes seconds, and a minute where twenty others want to run. */
const START_MINUTES = 3;

/** Those of the image: exactly its permissions, nobody to ask for more, its bounds on memory. Here modules may still have to be read. */
const DENO_FLAGS = imageFlags().filter((each) => each !== "--cached-only");

/** The mount namespace is the process' own: nobody else sees the token, and it changes nothing on this machine. */
const AS_POD = `set -e
run=$(readlink -f /var/run)
mount -t tmpfs tmpfs "$run"
cp -r "$0"/. "$run"
mount -o remount,bind,ro "$run"
mount -o remount,bind,ro /
exec "$@"`;

function spawn(options: OperatorProcessOptions, ports: readonly string[]): Deno.ChildProcess {
  const { runFolder, preload } = options;
  const before = preload === undefined ? [] : [`--preload=${preload}`];
  const flags = ["--log-format", "json", ...ports, ...(options.flags ?? [])];
  const command = [Deno.execPath(), "run", "--no-check", ...DENO_FLAGS, ...before, MAIN, ...flags];
  const [program = "", ...args] = runFolder === undefined
    ? command
    : ["unshare", "--mount", "sh", "-c", AS_POD, runFolder, ...command];
  return new Deno.Command(program, {
    args,
    clearEnv: true,
    env: environmentOf(options),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

/** Where Deno finds what it has cached; an image says the same to it. */
const OF_DENO = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME"];

function environmentOf(options: OperatorProcessOptions): Record<string, string> {
  const { kubeconfigPath, databaseUrl, runFolder } = options;
  const { KUBERNETES_SERVICE_HOST: _host, POD_NAMESPACE: _namespace, ...inherited } = Deno.env.toObject();
  const own = Object.entries(inherited).filter(([name]) => runFolder === undefined || OF_DENO.includes(name));
  return {
    ...Object.fromEntries(own),
    NO_COLOR: "1",
    POD_NAME: options.name,
    ...(kubeconfigPath === undefined ? {} : { KUBECONFIG: kubeconfigPath }),
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    ...(options.inPod === true ? { KUBERNETES_SERVICE_HOST: "127.0.0.1" } : {}),
    ...options.env,
  };
}

function parseEntry(line: string): LogEntry | undefined {
  try {
    const entry = JSON.parse(line) as LogEntry;
    return typeof entry.message === "string" ? entry : undefined;
  } catch {
    return undefined;
  }
}

import { assertEquals } from "@std/assert";
import type { ListOptions, ListPage, WatchEvent, WatchOptions } from "../client/client.ts";
import { createFakeTiming, type FakeTiming } from "../fake_timing.ts";
import { Informer, type InformerSource, type ObjectChange } from "./informer.ts";
import { KubeError } from "../client/kube_error.ts";
import { memoryLogger } from "../telemetry/logger.ts";
import type { KubeObject } from "../object.ts";

const tables = { group: "kopf.demo", version: "v1", plural: "databasetables", kind: "DatabaseTable", namespaced: true };

/** An object of that name. */
export function makeTable(
  name: string,
  options: { uid?: string; version?: string; namespace?: string } = {},
): KubeObject {
  const { uid = `uid-${name}`, version = "1", namespace = "default" } = options;
  return {
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: { name, namespace, uid, resourceVersion: version, creationTimestamp: "2026-01-01T00:00:00Z" },
  };
}

type Step =
  | { readonly list: readonly KubeObject[]; readonly version: string; readonly continue?: string }
  | { readonly fail: unknown }
  /** Events of one stream, which then ends; `silent`: it stays open without a word. */
  | { readonly watch: readonly WatchEvent<KubeObject>[]; readonly silent?: true; readonly breaks?: unknown };

/** Plays an API server: each call takes the next step of the script; a call beyond its end stays open. */
export class ScriptedSource implements InformerSource {
  readonly calls: { readonly verb: "list" | "watch"; readonly options: ListOptions & Partial<WatchOptions> }[] = [];
  readonly #steps: Step[];

  constructor(...steps: Step[]) {
    this.#steps = steps;
  }

  async list<T>(_type: unknown, options: ListOptions = {}): Promise<ListPage<T>> {
    this.calls.push({ verb: "list", options });
    const step = this.#steps.shift();
    if (step === undefined) return await untilAborted(options.signal);
    if ("fail" in step) throw step.fail;
    if (!("list" in step)) throw new Error("the script expects a watch, not a list");
    const next = step.continue === undefined ? {} : { continue: step.continue };
    return { items: step.list as unknown as T[], resourceVersion: step.version, ...next };
  }

  async *watch<T>(_type: unknown, options: WatchOptions): AsyncGenerator<WatchEvent<T>, void, undefined> {
    this.calls.push({ verb: "watch", options });
    const step = this.#steps.shift();
    if (step === undefined) return await untilAborted(options.signal);
    if ("fail" in step) throw step.fail;
    if (!("watch" in step)) throw new Error("the script expects a list, not a watch");
    options.onOpen?.();
    yield* structuredClone(step.watch) as unknown as WatchEvent<T>[];
    if (step.silent) await untilAborted(options.signal);
    if (step.breaks !== undefined) throw step.breaks;
  }
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
}

/** Runs an informer in fake time, and sees that it leaves no timer. For tests only. */
export async function withInformer(
  source: ScriptedSource,
  test: (run: { informer: Informer; timing: FakeTiming; changes: string[]; lines: () => string[] }) => Promise<void>,
  options: {
    namespaces?: string[];
    onChange?: (key: string, change: ObjectChange) => void;
    random?: () => number;
  } = {},
): Promise<void> {
  const timing = createFakeTiming(options.random);
  const logger = memoryLogger();
  const changes: string[] = [];
  const onChange = (key: string, change: ObjectChange) => {
    changes.push(key);
    options.onChange?.(key, change);
  };
  const namespaces = options.namespaces ?? [];
  const informer = new Informer({ client: source, type: tables, namespaces, context: timing, onChange, logger });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  await timing.tick(0);
  await test({ informer, timing, changes, lines: () => logger.entries.map((entry) => entry.message) });
  stop.abort();
  await running;
  assertEquals(timing.pending(), 0, "no timer is left");
}

export const gone = new KubeError("too old resource version", { status: 410, reason: "Expired" });
export const unreachable = new KubeError("Cannot reach the API server", { status: 0, reason: "Unreachable" });
export const busy = new KubeError("too many requests", { status: 429, reason: "TooManyRequests", retryAfterMs: 7_000 });

import { TABLE_RESOURCE } from "../../handlers/database_table/handler.ts";
import { apiVersionOf, keyOf } from "../../kube/object.ts";
import { systemTiming } from "../../kube/timing.ts";
import { Informer } from "../../kube/watch/informer.ts";
import type { PlanSpec } from "./oracles/catalog_parts.ts";
import { claimsReady } from "./oracles/honesty.ts";
import type { Stage } from "./stage/stage.ts";
import type { TableObject } from "./stage/stage_objects.ts";

interface PendingChange {
  readonly generation: number;
  readonly at: number;
}

/** Watches all tables of a stage as a user does: what each says now, and how long users waited for what they changed. */
export class ServedChanges implements AsyncDisposable {
  readonly #stage: Stage;
  readonly #informer: Informer<TableObject>;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #pending = new Map<string, readonly PendingChange[]>();
  /** Milliseconds from the answer to a change until Ready was told of it, or of a later one. */
  readonly waitsMs: number[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
    const { user: client, namespace } = stage;
    const onChange = (key: string) => this.#look(key);
    const options = { client, type: TABLE_RESOURCE, namespaces: [namespace], context: systemTiming, onChange };
    this.#informer = new Informer<TableObject>(options);
    this.#running = this.#informer.run(this.#stop.signal);
  }

  /** Applies a table as a user, who waits for it from the answer on. */
  async apply(name: string, spec: PlanSpec): Promise<void> {
    const { user, namespace } = this.#stage;
    const { kind } = TABLE_RESOURCE;
    const manifest = { apiVersion: apiVersionOf(TABLE_RESOURCE), kind, metadata: { name, namespace }, spec };
    const { object } = await user.apply<TableObject>(TABLE_RESOURCE, manifest, { force: true });
    const key = keyOf(object);
    const change = { generation: object.metadata.generation ?? 0, at: performance.now() };
    this.#pending.set(key, [...this.#pending.get(key) ?? [], change]);
    this.#look(key);
  }

  get objects(): readonly TableObject[] {
    return this.#informer.keys().flatMap((key) => this.#informer.get(key) ?? []);
  }

  /** How many changes nobody has been told of yet. */
  get open(): number {
    return [...this.#pending.values()].reduce((sum, changes) => sum + changes.length, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #look(key: string): void {
    const object = this.#informer.get(key);
    const pending = this.#pending.get(key);
    if (pending === undefined || object?.status === undefined) return;
    const { generation = 0 } = object.metadata;
    if (!claimsReady(object.status, generation)) return;
    const now = performance.now();
    this.waitsMs.push(...pending.filter((each) => each.generation <= generation).map(({ at }) => now - at));
    this.#pending.set(key, pending.filter((each) => each.generation > generation));
  }
}

/** The wait that a share of all changes did not exceed, in whole milliseconds. */
export function percentile(waitsMs: readonly number[], share: number): number {
  const sorted = waitsMs.toSorted((left, right) => left - right);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

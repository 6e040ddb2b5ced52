import { Controller } from "../kube/controller.ts";
import { Informer } from "../kube/informer.ts";
import type { KubeClient } from "../kube/client.ts";
import type { KubeObject } from "../kube/object.ts";
import type { Logger } from "../kube/logger.ts";
import type { Timing } from "../kube/timing.ts";
import type { DatabaseRecovery } from "./database_recovery.ts";
import type { KindHandler, TendedObjects } from "./registry.ts";

export interface ControlOptions {
  readonly client: KubeClient;
  readonly namespaces: readonly string[];
  readonly workers: number;
  readonly timing: Timing;
  readonly logger: Logger;
  /** Whether an error is an outside failure that was handled, and no bug. */
  readonly isExpected: (error: unknown) => boolean;
  /** Brings back what failed in an outage of the database. */
  readonly recovery: Pick<DatabaseRecovery, "defer">;
}

/** The watch and the workers of one kind. */
export interface KindControl {
  /** The kind in lower case. */
  readonly name: string;
  readonly informer: Informer;
  /** Keeps the informer's cache until the signal is aborted. Never rejects. */
  readonly watch: (signal: AbortSignal) => Promise<void>;
  /** Reconciles until the signal is aborted, then lets running reconciles end. Never rejects. */
  readonly work: (signal: AbortSignal) => Promise<void>;
}

/** Wires a kind's informer to its queue and its reconcile; `undefined` for a kind that only admission looks at. */
export function controlKind(kind: KindHandler, options: ControlOptions): KindControl | undefined {
  const { controller: reconciler, resource } = kind;
  if (reconciler === undefined) return undefined;
  const { client, namespaces, timing, recovery } = options;
  const name = resource.kind.toLowerCase();
  const logger = options.logger.child({ controller: name });
  const controller = new Controller({
    name,
    workers: options.workers,
    timing,
    logger,
    isExpected: options.isExpected,
    reconcile: async (key, signal) => {
      const object = informer.get(key);
      if (object === undefined) {
        reconciler.forget(key);
        return {};
      }
      try {
        return await reconciler.reconcile(object, signal);
      } catch (error) {
        throw recovery.defer(error, { key: `${name} ${key}`, retry: () => controller.enqueue(key) });
      }
    },
  });
  const informer: Informer = new Informer<KubeObject>({
    client,
    type: resource,
    namespaces,
    context: timing,
    logger,
    onChange: (key, change) => controller.enqueue(key, change),
  });
  return {
    name,
    informer,
    watch: (signal) => informer.run(signal),
    work: async (signal) => {
      await Promise.all([controller.run(signal), reconciler.tend?.(tendedObjects(informer, controller), signal)]);
    },
  };
}

function tendedObjects(informer: Informer, controller: Controller): TendedObjects {
  return {
    get: (key) => informer.get(key),
    whenSynced: (signal) => informer.whenSynced(signal),
    enqueue: (key) => controller.enqueue(key, "other"),
  };
}

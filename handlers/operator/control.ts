import { Controller } from "../../kube/queue/controller.ts";
import { Informer, type ObjectChange } from "../../kube/watch/informer.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import type { Leadership } from "../../kube/election/leadership.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import type { Timing } from "../../kube/timing.ts";
import type { DatabaseRecovery } from "../connections/database_recovery.ts";
import { type OwnedInformer, watchOwned } from "../owned_objects.ts";
import type { KindHandler, TendedObjects } from "../registry.ts";
import { RunningReconciles } from "./running_reconciles.ts";
import type { Telemetry } from "./telemetry.ts";

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
  readonly telemetry: Telemetry;
}

/** A process that cannot stop what it is no more allowed to do must end: only its death is a proof. */
export class ReconcilesAbandoned extends Error {
  override readonly name = "ReconcilesAbandoned";

  constructor(kind: string) {
    super(`Cannot stand by: this process leads no more, and reconciles of ${kind} ignore that they must stop`);
  }
}

/** The watch and the workers of one kind. */
export interface KindControl {
  /** The kind in lower case. */
  readonly name: string;
  readonly informer: Informer;
  /** The objects that it makes, by kind. */
  readonly owned: readonly OwnedInformer[];
  readonly running: RunningReconciles;
  /** Keeps the caches until the signal is aborted, so that a standby is warm. Never rejects. */
  readonly watch: (signal: AbortSignal) => Promise<void>;
  /**
   * Reconciles every object, and then each that changes, as long as this process leads. Asked to stop, it lets running reconciles
   * end; when the leadership is lost they are aborted.
   *
   * @throws {ReconcilesAbandoned} if some do not end although it is lost.
   */
  readonly work: (leadership: Leadership) => Promise<void>;
}

/** Wires a kind's informer to its queue and its reconcile; `undefined` for a kind that only admission looks at. */
export function controlKind(kind: KindHandler, options: ControlOptions): KindControl | undefined {
  const { controller: reconciler, resource } = kind;
  if (reconciler === undefined) return undefined;
  const { client, namespaces, timing } = options;
  const name = resource.kind.toLowerCase();
  const logger = options.logger.child({ controller: name });
  /** Of this term; none while another process leads. */
  let controller: Controller | undefined;
  const onChange = (key: string, change: ObjectChange) => {
    const object = informer.get(key);
    if (object !== undefined) reconciler.see?.(object);
    if (controller !== undefined) controller.enqueue(key, change);
    // What an earlier term remembered of an object that is gone would stay for ever.
    else if (object === undefined) reconciler.forget(key);
  };
  const informer = new Informer<KubeObject>({ client, type: resource, namespaces, context: timing, logger, onChange });
  const enqueue = (key: string, change: "owned" | "other") => controller?.enqueue(key, change);
  const owned = watchOwned(reconciler.owns ?? [], { client, namespaces, timing, logger, enqueue });
  const running = new RunningReconciles(timing);
  return {
    name,
    informer,
    owned,
    running,
    watch: async (signal) => {
      await Promise.all([informer, ...owned.map((each) => each.informer)].map((each) => each.run(signal)));
    },
    work: async (leadership) => {
      const current = makeController({ name, reconciler, informer, running, logger }, options);
      controller = current;
      for (const key of informer.keys()) current.enqueue(key, "resync");
      const tending = reconciler.tend?.(tendedObjects(informer, current), leadership.signal);
      const isEnded = await current.run(leadership.signal, leadership.lost);
      await tending;
      controller = undefined;
      if (!isEnded && leadership.lost.aborted) throw new ReconcilesAbandoned(name);
    },
  };
}

interface KindParts extends Pick<KindControl, "name" | "informer" | "running"> {
  readonly reconciler: NonNullable<KindHandler["controller"]>;
  readonly logger: Logger;
}

/** A controller of one term: it forgets its retries and waits when that ends. */
function makeController(
  { name, reconciler, informer, running, logger }: KindParts,
  options: ControlOptions,
): Controller {
  const { workers, timing, isExpected, recovery, telemetry } = options;
  const controller: Controller = new Controller({
    name,
    workers,
    timing,
    logger,
    isExpected,
    isGone: (key) => informer.get(key) === undefined,
    ...telemetry,
    describe: (key) => ({ uid: informer.get(key)?.metadata.uid }),
    reconcile: async (key, signal, deadline) => {
      const object = informer.get(key);
      if (object === undefined) {
        reconciler.forget(key);
        return {};
      }
      const end = running.start(key, deadline);
      try {
        return await reconciler.reconcile(object, signal, deadline.pause);
      } catch (error) {
        throw recovery.defer(error, { key: `${name} ${key}`, retry: () => controller.enqueue(key, "resync") });
      } finally {
        end();
      }
    },
  });
  return controller;
}

function tendedObjects(informer: Informer, controller: Controller): TendedObjects {
  return {
    get: (key) => informer.get(key),
    keys: () => informer.keys(),
    whenSynced: (signal) => informer.whenSynced(signal),
    enqueue: (key) => controller.bringBack(key),
  };
}

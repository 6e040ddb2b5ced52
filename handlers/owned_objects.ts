import type { KubeClient } from "../kube/client/client.ts";
import { Informer } from "../kube/watch/informer.ts";
import type { Logger } from "../kube/telemetry/logger.ts";
import type { Timing } from "../kube/timing.ts";
import type { OwnedKind } from "./registry.ts";

export interface OwnedObjectsOptions {
  readonly client: Pick<KubeClient, "list" | "watch">;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  readonly timing: Timing;
  readonly logger: Logger;
  /** Asks for a reconcile of the owner; `other`: nothing is known to have happened, as in the first list after a start. */
  readonly enqueue: (ownerKey: string, change: "owned" | "other") => void;
}

/** What is known of the objects of one kind that a handler makes. */
export interface OwnedInformer {
  /** The kind in lower case. */
  readonly name: string;
  readonly informer: Informer;
}

/** Watches the objects that a handler made, and tells the owner of each that appeared, changed or went. */
export function watchOwned(kinds: readonly OwnedKind[], options: OwnedObjectsOptions): readonly OwnedInformer[] {
  return kinds.map((each) => ({ name: each.resource.kind.toLowerCase(), informer: watchKind(each, options) }));
}

function watchKind(owned: OwnedKind, options: OwnedObjectsOptions): Informer {
  const { client, namespaces, timing, logger, enqueue } = options;
  const owners = new OwnerIndex();
  const informer: Informer = new Informer({
    client,
    type: owned.resource,
    namespaces,
    context: timing,
    logger,
    labelSelector: owned.labelSelector,
    onChange: (key, change) => {
      const object = informer.get(key);
      const concerned = owners.update(key, object === undefined ? undefined : owned.ownerKey(object));
      for (const owner of concerned) enqueue(owner, change === "resync" ? "other" : "owned");
    },
  });
  return informer;
}

/** Who owns which object: of one that is gone nothing is left but its key. */
export class OwnerIndex {
  readonly #owners = new Map<string, string>();

  /** @returns the owners that the change concerns: the one before and the one now. */
  update(key: string, owner: string | undefined): readonly string[] {
    const before = this.#owners.get(key);
    if (owner === undefined) this.#owners.delete(key);
    else this.#owners.set(key, owner);
    return [...new Set([before, owner])].filter((each) => each !== undefined);
  }
}

import type { KubeClient } from "../../kube/client/client.ts";
import type { KubeObject, ResourceType } from "../../kube/object.ts";

interface Status {
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

/** Where to watch. */
export interface Watched {
  readonly client: KubeClient;
  readonly type: ResourceType;
  readonly namespace: string;
}

/** Counts, through a watch, the objects of a kind that became Ready and those that went. */
export class BulkWatch {
  readonly #watched: Watched;
  readonly #stop = new AbortController();
  readonly #ready = new Set<string>();
  readonly #gone = new Set<string>();
  #check: () => void = () => {};

  private constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** Counts from now on. */
  static async open(watched: Watched): Promise<BulkWatch> {
    const { resourceVersion } = await watched.client.list(watched.type, { namespace: watched.namespace, limit: 1 });
    const watch = new BulkWatch(watched);
    watch.#run(resourceVersion);
    return watch;
  }

  /** Resolves when that many objects are Ready. */
  ready(count: number): Promise<void> {
    return this.#reach(() => this.#ready.size >= count);
  }

  /** Resolves when that many objects are gone. */
  gone(count: number): Promise<void> {
    return this.#reach(() => this.#gone.size >= count);
  }

  close(): void {
    this.#stop.abort(new Stopped());
  }

  async #run(resourceVersion: string): Promise<void> {
    const { signal } = this.#stop;
    let last = resourceVersion;
    try {
      // The API server ends the watch of whoever reads too slowly; nothing is lost from the last version on.
      while (!signal.aborted) last = await this.#follow(last);
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  }

  async #follow(resourceVersion: string): Promise<string> {
    const { client, type: kind, namespace } = this.#watched;
    let last = resourceVersion;
    const options = { namespace, resourceVersion, signal: this.#stop.signal };
    for await (const { type, object } of client.watch<KubeObject<unknown, Status>>(kind, options)) {
      if (type === "ERROR") throw new Error(`the watch failed: ${object.message}`);
      last = object.metadata.resourceVersion;
      if (type !== "BOOKMARK") this.#count(type, object);
    }
    return last;
  }

  #count(type: "ADDED" | "MODIFIED" | "DELETED", { metadata, status }: KubeObject<unknown, Status>): void {
    if (type === "DELETED") this.#gone.add(metadata.uid);
    const isReady = status?.conditions?.some((each) => each.type === "Ready" && each.status === "True");
    if (isReady) this.#ready.add(metadata.uid);
    this.#check();
  }

  #reach(isReached: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#check = () => isReached() ? resolve() : undefined;
      this.#check();
    });
  }
}

class Stopped extends Error {}

import { keyOf, type KubeObject } from "../object.ts";

/**
 * What an event changed: `spec` is all that can ask for something else than before (the spec, annotations, finalizers, a
 * deletion, another object under the name, none), `other` the rest, such as the echo of a status that we wrote. With `resync`
 * nothing is known to have changed, as in the first list after a start, and nobody waits for the answer.
 */
export type ObjectChange = "spec" | "other" | "resync";

/** Where kubectl keeps a whole copy of the object for itself. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** The objects that a list and the watch after it have shown, by key. */
export class ObjectStore<T extends KubeObject> {
  readonly #objects = new Map<string, T>();

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Stores an object; answers what changed, `undefined` if nothing: another `uid` is another object under the same name. */
  put(object: T): ObjectChange | undefined {
    const key = keyOf(object);
    const before = this.#objects.get(key);
    this.#objects.set(key, pruned(object));
    if (before?.metadata.uid !== object.metadata.uid) return "spec";
    if (before.metadata.resourceVersion === object.metadata.resourceVersion) return undefined;
    return asksTheSame(before, object) ? "other" : "spec";
  }

  /** Removes an object that was deleted; one that was made again under its name stays. Answers whether something went. */
  remove(object: T): boolean {
    const key = keyOf(object);
    const before = this.#objects.get(key);
    if (before === undefined || before.metadata.uid !== object.metadata.uid) return false;
    return this.#objects.delete(key);
  }

  /** Removes what a whole list of `namespace` (absent: of all) did not show: it was deleted meanwhile. Answers its keys. */
  removeUnseen(namespace: string | undefined, seen: ReadonlySet<string>): readonly string[] {
    const gone = Array.from(this.#objects.entries())
      .filter(([key, object]) => inScope(object, namespace) && !seen.has(key))
      .map(([key]) => key);
    for (const key of gone) this.#objects.delete(key);
    return gone;
  }
}

function asksTheSame(before: KubeObject, after: KubeObject): boolean {
  const [old, now] = [before.metadata, after.metadata];
  return old.deletionTimestamp === now.deletionTimestamp &&
    isEqual(old.finalizers, now.finalizers) &&
    isEqual(old.annotations, now.annotations) &&
    // Without the status subresource every write counts a generation, so only the spec itself tells.
    ((old.generation !== undefined && old.generation === now.generation) || isEqual(before.spec, after.spec));
}

/** By text: the API server writes members in one order. A false "no" costs one reconcile. */
function isEqual(before: unknown, after: unknown): boolean {
  try {
    return JSON.stringify(before) === JSON.stringify(after);
  } catch {
    // Nested too deeply to be written.
    return false;
  }
}

function inScope(object: KubeObject, namespace: string | undefined): boolean {
  return namespace === undefined || object.metadata.namespace === namespace;
}

/**
 * What is often the larger half of an object, and what nobody here reads: who set which field, and kubectl's copy of the whole. The
 * object is ours alone: it was just decoded.
 */
function pruned<T extends KubeObject>(object: T): T {
  const metadata = object.metadata as { managedFields?: unknown; annotations?: Record<string, string> };
  delete metadata.managedFields;
  delete metadata.annotations?.[LAST_APPLIED];
  return object;
}

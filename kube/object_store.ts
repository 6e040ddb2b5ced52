import { keyOf, type KubeObject } from "./object.ts";

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

  /** Stores an object; answers whether it is another than before: another `uid` is another object under the same name. */
  put(object: T): boolean {
    const key = keyOf(object);
    const before = this.#objects.get(key);
    this.#objects.set(key, withoutManagedFields(object));
    return before?.metadata.uid !== object.metadata.uid ||
      before.metadata.resourceVersion !== object.metadata.resourceVersion;
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

function inScope(object: KubeObject, namespace: string | undefined): boolean {
  return namespace === undefined || object.metadata.namespace === namespace;
}

/** `managedFields` is often the larger half of an object, and nobody here reads it. The object is ours alone: it was just decoded. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  delete (object.metadata as { managedFields?: unknown }).managedFields;
  return object;
}

/** What a reconcile made or ended, while another one that may wait for it was running. */
export type News = Set<string>;

/**
 * Which objects wait for what other objects of ours make or end, so that they are looked at again when that happens. What others do in
 * the database is not told: whoever waits asks now and then, too.
 */
export class Awaited {
  /** By what is waited for: keys of objects. */
  readonly #waiting = new Map<string, Set<string>>();
  /** The same by key. */
  readonly #reasons = new Map<string, readonly string[]>();
  readonly #running = new Set<News>();

  /** To be called before a reconcile looks at anything; hand the answer to {@linkcode wait} and {@linkcode end}. */
  begin(): News {
    const news: News = new Set();
    this.#running.add(news);
    return news;
  }

  /** The reconcile has ended. */
  end(news: News): void {
    this.#running.delete(news);
  }

  /**
   * Says what an object waits for, and nothing else any more.
   *
   * @returns whether some of it happened since the reconcile began: then it must look again at once.
   */
  wait(key: string, what: readonly string[], news: News): boolean {
    this.forget(key);
    if (what.some((each) => news.has(each))) return true;
    if (what.length > 0) this.#reasons.set(key, what);
    for (const each of what) {
      const keys = this.#waiting.get(each) ?? new Set();
      this.#waiting.set(each, keys.add(key));
    }
    return false;
  }

  /** Says what has happened. @returns the keys of the objects that waited for it, and do not any more. */
  happened(what: string): readonly string[] {
    for (const news of this.#running) news.add(what);
    const keys = [...this.#waiting.get(what) ?? []];
    for (const key of keys) this.forget(key);
    return keys;
  }

  /** The object waits for nothing, or is gone. */
  forget(key: string): void {
    for (const what of this.#reasons.get(key) ?? []) {
      const keys = this.#waiting.get(what);
      if (keys?.delete(key) === true && keys.size === 0) this.#waiting.delete(what);
    }
    this.#reasons.delete(key);
  }
}

/** How a {@linkcode Pool} makes and ends what it holds. */
export interface PoolOptions<T> {
  readonly maximum: number;
  /** Milliseconds after which an unused one is closed. */
  readonly idleMs: number;
  open(signal: AbortSignal): Promise<T>;
  /** Whether it can still be used. */
  isAlive(item: T): boolean;
  close(item: T): Promise<void>;
}

interface Waiter<T> {
  /** `undefined`: try again, there is room for a new one. */
  readonly resolve: (item: T | undefined) => void;
}

/** At most so many connections, lent to one user at a time, first come first served. */
export class Pool<T> {
  readonly #options: PoolOptions<T>;
  readonly #idle: { readonly item: T; readonly timer: ReturnType<typeof setTimeout> }[] = [];
  readonly #waiters: Waiter<T>[] = [];
  readonly #emptied = Promise.withResolvers<void>();
  #size = 0;
  #closed = false;

  constructor(options: PoolOptions<T>) {
    this.#options = options;
  }

  /** One for the caller alone until `release()`. Throws the signal's reason, or whatever `open()` throws. */
  async acquire(signal: AbortSignal): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#closed) throw new Error("Cannot use the database: it was closed");
      const idle = this.#takeIdle();
      if (idle !== undefined) return idle;
      if (this.#size < this.#options.maximum) return await this.#open(signal);
      const handed = await this.#wait(signal);
      if (handed !== undefined) return handed;
    }
  }

  /** Gives it back; one that is dead is forgotten. */
  release(item: T): void {
    if (!this.#options.isAlive(item)) return this.#forget();
    if (this.#closed) return void this.#options.close(item).finally(() => this.#forget());
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) return waiter.resolve(item);
    const timer = setTimeout(() => this.#expire(item), this.#options.idleMs);
    this.#idle.push({ item, timer });
  }

  /** Closes all that are idle now and the others when they come back; resolves when none is left. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(undefined);
    for (const { item, timer } of this.#idle.splice(0)) {
      clearTimeout(timer);
      this.#options.close(item).finally(() => this.#forget());
    }
    if (this.#size > 0) await this.#emptied.promise;
  }

  #takeIdle(): T | undefined {
    // The one used last: the others may then grow old and go.
    for (let entry = this.#idle.pop(); entry !== undefined; entry = this.#idle.pop()) {
      clearTimeout(entry.timer);
      if (this.#options.isAlive(entry.item)) return entry.item;
      this.#forget();
    }
    return undefined;
  }

  async #open(signal: AbortSignal): Promise<T> {
    this.#size++;
    try {
      return await this.#options.open(signal);
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  #wait(signal: AbortSignal): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const waiter = {
        resolve: (item: T | undefined) => {
          signal.removeEventListener("abort", onAbort);
          resolve(item);
        },
      };
      this.#waiters.push(waiter);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  #expire(item: T): void {
    const index = this.#idle.findIndex((entry) => entry.item === item);
    if (index < 0) return;
    this.#idle.splice(index, 1);
    this.#options.close(item).finally(() => this.#forget());
  }

  #forget(): void {
    this.#size--;
    this.#waiters.shift()?.resolve(undefined);
    if (this.#closed && this.#size === 0) this.#emptied.resolve();
  }
}

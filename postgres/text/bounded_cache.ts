/** Answers by text, oldest forgotten first: whoever sends many or long texts costs time, never memory. */
export class BoundedCache<V> {
  readonly #values = new Map<string, V>();
  readonly #maximum: number;
  #size = 0;

  /** @param maximum Characters of all keys together. */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  get(text: string): V | undefined {
    return this.#values.get(text);
  }

  set(text: string, value: V): void {
    if (text.length > this.#maximum) return;
    if (!this.#values.has(text)) this.#size += text.length;
    this.#values.set(text, value);
    for (const oldest of this.#values.keys()) {
      if (this.#size <= this.#maximum) break;
      this.#values.delete(oldest);
      this.#size -= oldest.length;
    }
  }
}

const QUOTE = 34;
const COMMA = 44;
const OPENING_BRACKET = 91;
const BACKSLASH = 92;
const OPENING_BRACE = 123;

/**
 * Counts the values of a JSON text that comes in pieces, before anybody makes objects of them: `{}` has 2 bytes, and the object that it
 * becomes more than 50. The count is never too low; what is no JSON gets one too.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const counter = new ValueCounter();
 * counter.add('{"a": [1, "two, ');
 * counter.add('[three]"]}');
 * assertEquals(counter.count, 4);
 * ```
 */
export class ValueCounter {
  #count = 1;
  #isInString = false;
  #isEscaped = false;

  get count(): number {
    return this.#count;
  }

  add(text: string): void {
    // Local, since this runs for each character.
    let [count, isInString, isEscaped] = [this.#count, this.#isInString, this.#isEscaped];
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (isEscaped) isEscaped = false;
      else if (code === QUOTE) isInString = !isInString;
      else if (isInString) isEscaped = code === BACKSLASH;
      else if (code === COMMA || code === OPENING_BRACE || code === OPENING_BRACKET) count++;
    }
    [this.#count, this.#isInString, this.#isEscaped] = [count, isInString, isEscaped];
  }
}

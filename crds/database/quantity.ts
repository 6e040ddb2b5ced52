const SCALES: Readonly<Record<string, number>> = {
  "": 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/**
 * The number that a Kubernetes quantity stands for; `undefined` if it is none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(parseQuantity("1Gi"), 1073741824);
 * assertEquals(parseQuantity("2e3"), 2000);
 * assertEquals(parseQuantity("1 GB"), undefined);
 * ```
 */
export function parseQuantity(text: string): number | undefined {
  const match = /^\+?(\d{1,15}(?:\.\d{0,9})?|\.\d{1,9})(?:([KMGTPE]i|[mkMGTPE])|[eE]([+-]?\d{1,2}))?$/.exec(text);
  if (match === null) return undefined;
  const [, number = "", suffix = "", exponent = "0"] = match;
  return Number(number) * (SCALES[suffix] ?? 1) * 10 ** Number(exponent);
}

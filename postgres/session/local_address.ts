/**
 * Whether an IP address (or the path of a socket) leads to the machine itself or to what only its neighbours may ask:
 * loopback, link-local (where clouds serve credentials), unspecified. What is no address counts as one that does.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * assert(isLocalAddress("127.0.0.1") && isLocalAddress("::ffff:169.254.169.254"));
 * assert(!isLocalAddress("10.0.0.7") && !isLocalAddress("2001:db8::1"));
 * ```
 */
export function isLocalAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  const plain = mapped?.[1] ?? address;
  if (/^\d+\.\d+\.\d+\.\d+$/.test(plain)) return /^(0|127|169\.254)\./.test(plain);
  if (!plain.includes(":")) return true;
  // Every other form of an address that is mapped or local begins with zeros.
  return plain.startsWith("::") || /^0*:/.test(plain) || /^fe[89ab]/i.test(plain);
}

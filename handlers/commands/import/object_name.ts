const MAXIMUM = 253;

/**
 * Names objects after their tables: a DNS subdomain, of which every one is given once. Pure.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const taken = new Set<string>();
 * assertEquals(objectName({ schema: "public", name: "Web_Users" }, taken), "web-users");
 * assertEquals(objectName({ schema: "public", name: "web-users" }, taken), "web-users-2");
 * assertEquals(objectName({ schema: "shop", name: "€" }, taken), "shop");
 * ```
 */
export function objectName(
  { schema, name }: { readonly schema: string; readonly name: string },
  taken: Set<string>,
): string {
  const words = schema === "public" ? name : `${schema}-${name}`;
  const plain = words.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "").slice(0, MAXIMUM - 8);
  const base = plain === "" ? "table" : plain;
  let chosen = base;
  for (let count = 2; taken.has(chosen); count++) chosen = `${base}-${count}`;
  taken.add(chosen);
  return chosen;
}

import { expressionTree } from "./expression_tree.ts";
import { loadParser } from "./pg_query.ts";
import { objectOf, type Tree } from "./tree.ts";

/**
 * Whether an expression is NULL, bare or cast: as a default PostgreSQL does not even store it, for it says nothing.
 *
 * @param text As `parseExpression()` printed it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(await isNullExpression("NULL::text"), true);
 * assertEquals(await isNullExpression("COALESCE(NULL, 1)"), false);
 * ```
 */
export async function isNullExpression(text: string): Promise<boolean> {
  if (!/null/i.test(text)) return false;
  let node: Tree | undefined = expressionTree(await loadParser(), `(${text}\n)`);
  for (let cast = objectOf(node?.TypeCast); cast !== undefined; cast = objectOf(node?.TypeCast)) {
    node = objectOf(cast.arg);
  }
  return objectOf(node?.A_Const)?.isnull === true;
}

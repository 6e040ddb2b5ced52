import type { Parser } from "./pg_query.ts";
import { list, objectOf, soleTarget, type Tree } from "./tree.ts";
import { normalTypeName } from "./type_tree.ts";

/** Where something stood in the text: the only keys in which two trees of one meaning differ. */
const POSITIONS: ReadonlySet<string> = new Set([
  "location",
  "list_start",
  "list_end",
  "rexpr_list_start",
  "rexpr_list_end",
]);

/** Levels of objects in a tree; an operator takes two, a call three. */
const MAXIMUM_DEPTH = 600;

/**
 * The tree of a text that is one expression: without positions, and with one spelling for each of PostgreSQL's own types.
 * `undefined` if the text is more than that, or nothing.
 *
 * @throws {SyntaxFault} of the grammar; {RangeError} if the expression is nested too deeply.
 */
export function expressionTree(parse: Parser, sql: string): Tree | undefined {
  const target = soleTarget(parse(`SELECT ${sql}\n`));
  return target === undefined ? undefined : objectOf(cleaned(target, 0));
}

/** The tree with that done to every node `{ <kind>: … }`; a node for which it gives `undefined` stays, and is entered. */
export function mapNodes(node: unknown, change: (kind: string, body: Tree) => Tree | undefined): unknown {
  const items = list(node);
  if (items !== undefined) return items.map((item) => mapNodes(item, change));
  const object = objectOf(node);
  if (object === undefined) return node;
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => {
      const body = objectOf(value);
      return [key, (body === undefined ? undefined : change(key, body)) ?? mapNodes(value, change)];
    }),
  );
}

/** Whether two such trees are the same: PostgreSQL writes their keys in one order. */
export function sameTree(left: Tree | undefined, right: Tree | undefined): boolean {
  return left !== undefined && JSON.stringify(left) === JSON.stringify(right);
}

function cleaned(node: unknown, depth: number): unknown {
  if (depth > MAXIMUM_DEPTH) throw new RangeError(`Cannot read the expression: it must be nested less deeply`);
  const items = list(node);
  if (items !== undefined) return items.map((item) => cleaned(item, depth + 1));
  const object = objectOf(node);
  if (object === undefined) return node;
  return Object.fromEntries(
    Object.entries(object).filter(([key]) => !POSITIONS.has(key)).map(([key, value]) => {
      const clean = cleaned(value, depth + 1);
      return [key, key === "typeName" ? normalTypeName(clean) : clean];
    }),
  );
}

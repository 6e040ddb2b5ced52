/** The helpers with which trees of PostgreSQL's grammar are read: what has an unknown shape is `undefined`, never a throw. */

/** A part of a tree: `{ A_Const: { … } }` and its like. */
export type Tree = Readonly<Record<string, unknown>>;

/** The object if it has no other keys than these. */
export function exact(node: unknown, keys: readonly string[]): Tree | undefined {
  const object = objectOf(node);
  return object !== undefined && Object.keys(object).every((key) => keys.includes(key)) ? object : undefined;
}

/** The node as an object. */
export function objectOf(node: unknown): Tree | undefined {
  return typeof node === "object" && node !== null && !Array.isArray(node) ? node as Tree : undefined;
}

/** The node as a list. */
export function list(node: unknown): readonly unknown[] | undefined {
  return Array.isArray(node) ? node : undefined;
}

/** The element of a list of one. */
export function only(node: unknown): unknown {
  return Array.isArray(node) && node.length === 1 ? node[0] : undefined;
}

/** The text of a `String` node, as every part of a name is one. */
export function nameOf(node: unknown): string | undefined {
  const name = exact(exact(node, ["String"])?.String, ["sval"])?.sval;
  return typeof name === "string" ? name : undefined;
}

/** The texts of a list of `String` nodes. */
export function namesOf(nodes: unknown): readonly string[] | undefined {
  const names = list(nodes)?.map(nameOf);
  return names?.every((name) => name !== undefined) ? names : undefined;
}

const SELECT_KEYS = ["targetList", "limitOption", "op"];

/** What is selected if the text was `SELECT <one thing>` and nothing else: no alias, clause or second statement. */
export function soleTarget(tree: unknown): Tree | undefined {
  const statement = only(exact(tree, ["version", "stmts"])?.stmts);
  const select = exact(exact(exact(statement, ["stmt"])?.stmt, ["SelectStmt"])?.SelectStmt, SELECT_KEYS);
  if (select?.op !== "SETOP_NONE" || select.limitOption !== "LIMIT_OPTION_DEFAULT") return undefined;
  return objectOf(exact(exact(only(select.targetList), ["ResTarget"])?.ResTarget, ["val", "location"])?.val);
}

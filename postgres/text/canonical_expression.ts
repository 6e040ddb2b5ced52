import { BoundedCache } from "./bounded_cache.ts";
import { expressionTree, mapNodes } from "./expression_tree.ts";
import { type Parsed, refused } from "./fault.ts";
import { loadParser } from "./pg_query.ts";
import { printExpression } from "./print_expression.ts";
import { type ExpressionNames, readExpression } from "./read_expression.ts";
import { list, nameOf, namesOf, objectOf, type Tree } from "./tree.ts";

/** Longer texts stay as they are: nobody waits for the grammar at other people's tables. */
const MAXIMUM_LENGTH = 65_536;
const MAXIMUM_COMMENTS = 8;
const CACHE_SIZE = 200_000;

const cache = new BoundedCache<string>(CACHE_SIZE);

/**
 * The text that `parseExpression()` would give for the same expression, of a text that PostgreSQL or we printed; a text of
 * which none can be given stays as it is. Doing it twice changes nothing.
 *
 * Also good for texts that an older version of the operator printed: compare what both are now.
 */
export async function canonicalExpression(text: string): Promise<string> {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const canonical = await rewritten(text, (tree) => tree);
  cache.set(text, canonical);
  return canonical;
}

/** The canonical text after a column was renamed; a text without it, or that cannot be read, stays as it is. */
export function renameColumnInExpression(text: string, from: string, to: string): Promise<string> {
  return rewritten(text, (tree) =>
    changed(tree, (kind, body) => {
      const isColumn = kind === "ColumnRef" && list(body.fields)?.length === 1 && namesOf(body.fields)?.[0] === from;
      return isColumn ? { ...body, fields: [{ String: { sval: to } }] } : undefined;
    }));
}

/**
 * The canonical text with a schema before the types that have none and are not PostgreSQL's own; a text without such
 * types stays as it is.
 *
 * @param schemas By the name of the type.
 */
export function qualifyTypesInExpression(text: string, schemas: ReadonlyMap<string, string>): Promise<string> {
  if (![...schemas.keys()].some((name) => text.includes(name.replaceAll('"', '""')))) return Promise.resolve(text);
  return rewritten(text, (tree) =>
    changed(tree, (kind, body) => {
      const names = kind === "typeName" ? list(body.names) : undefined;
      const schema = names?.length === 1 ? schemas.get(nameOf(names[0]) ?? "") : undefined;
      return schema === undefined ? undefined : { ...body, names: [{ String: { sval: schema } }, ...names ?? []] };
    }));
}

/** The tree with some nodes changed; `undefined` if none is. */
function changed(tree: Tree, change: (kind: string, body: Tree) => Tree | undefined): Tree | undefined {
  let isChanged = false;
  const result = mapNodes(tree, (kind, body) => {
    const node = change(kind, body);
    isChanged ||= node !== undefined;
    return node;
  });
  return isChanged ? objectOf(result) : undefined;
}

/** What an expression names that PostgreSQL printed, as `parseExpression()` tells it for those of a user. */
export async function namesInExpression(text: string): Promise<Parsed<ExpressionNames>> {
  if (!isReadable(text)) return refused("it is too long");
  const parse = await loadParser();
  try {
    const tree = expressionTree(parse, `(${text}\n)`);
    return tree === undefined ? refused("it is not one expression") : readExpression(tree);
  } catch {
    return refused("it is too complex");
  }
}

function isReadable(text: string): boolean {
  return text.length <= MAXIMUM_LENGTH && !text.includes("\0") && text.split("/*").length - 1 <= MAXIMUM_COMMENTS;
}

async function rewritten(text: string, change: (tree: Tree) => Tree | undefined): Promise<string> {
  if (!isReadable(text)) return text;
  const parse = await loadParser();
  try {
    const tree = expressionTree(parse, `(${text}\n)`);
    const result = tree === undefined ? undefined : change(tree);
    return (result === undefined ? undefined : await printExpression(parse, result)) ?? text;
  } catch {
    // Not SQL that we know, or nested too deeply: compared by its letters then.
    return text;
  }
}

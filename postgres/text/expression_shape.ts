import { expressionTree } from "./expression_tree.ts";
import { namesInExpression } from "./canonical_expression.ts";
import { loadParser } from "./pg_query.ts";
import { list, nameOf, namesOf, objectOf, type Tree } from "./tree.ts";

/** What of an expression goes into the name that PostgreSQL makes for a check or an index. */
export interface ExpressionShape {
  /** Every column that it names, once. */
  readonly columns: readonly string[];
  /** What an index calls a key that is this expression: `lower` for `lower(email)`. */
  readonly label: string;
}

/** For a text of which nothing is known. */
export const NO_SHAPE: ExpressionShape = { columns: [], label: "expr" };

/**
 * Reads what names are made of; never fails: of a text that is no expression nothing is known.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(await shapeOfExpression("lower(email) || email"), { columns: ["email"], label: "expr" });
 * assertEquals(await shapeOfExpression("lower(email)"), { columns: ["email"], label: "lower" });
 * ```
 */
export async function shapeOfExpression(text: string): Promise<ExpressionShape> {
  const names = await namesInExpression(text);
  if (!names.ok) return NO_SHAPE;
  const tree = expressionTree(await loadParser(), `(${text}\n)`);
  return { columns: [...new Set(names.value.columns)], label: labelOf(tree)?.name ?? NO_SHAPE.label };
}

/** A weak label is taken only where nothing better is around it: the type of a cast, CASE. */
interface Label {
  readonly name: string;
  readonly isWeak?: true;
}

/** As `FigureColname()` of PostgreSQL does, for the nodes that an expression may have. */
function labelOf(node: Tree | undefined): Label | undefined {
  const [kind, value] = Object.entries(node ?? {})[0] ?? [];
  const body = objectOf(value);
  switch (kind) {
    case "ColumnRef":
      return strong(namesOf(body?.fields)?.at(-1));
    case "FuncCall":
      return strong(namesOf(body?.funcname)?.at(-1));
    case "A_Indirection":
      return strong(list(body?.indirection)?.map(nameOf).findLast((name) => name !== undefined)) ??
        labelOf(objectOf(body?.arg));
    case "CollateClause":
      return labelOf(objectOf(body?.arg));
    case "A_Expr":
      return body?.kind === "AEXPR_NULLIF" ? { name: "nullif" } : undefined;
    case "TypeCast":
      return orWeak(labelOf(objectOf(body?.arg)), namesOf(objectOf(body?.typeName)?.names)?.at(-1));
    case "CaseExpr":
      return orWeak(labelOf(objectOf(body?.defresult)), "case");
    case "MinMaxExpr":
      return { name: body?.op === "IS_LEAST" ? "least" : "greatest" };
    default:
      return strong(FIXED.get(kind ?? ""));
  }
}

const FIXED: ReadonlyMap<string, string> = new Map([
  ["A_ArrayExpr", "array"],
  ["RowExpr", "row"],
  ["CoalesceExpr", "coalesce"],
]);

function strong(name: string | undefined): Label | undefined {
  return name === undefined ? undefined : { name };
}

function orWeak(inner: Label | undefined, name: string | undefined): Label | undefined {
  return name === undefined || (inner !== undefined && inner.isWeak !== true) ? inner : { name, isWeak: true };
}

/** What of the expressions goes into names, by text. */
export type ExpressionShapes = ReadonlyMap<string, ExpressionShape>;

import { expressionTree, sameTree } from "./expression_tree.ts";
import { type Parser, SyntaxFault } from "./pg_query.ts";
import { list, objectOf, type Tree } from "./tree.ts";
import { printType, typeNameOf } from "./type_name.ts";
import { rawTypeName } from "./type_tree.ts";

/** The part of pgsql-deparser that is used; its own types know neither trees as plain objects nor a node of ours. */
interface Deparser {
  visit(node: unknown, context: unknown): string;
  TypeName(node: unknown, context: unknown): string;
  TypeCast(node: Tree, context: unknown): string;
  deparseQuery(): string;
}
type DeparserClass = new (tree: unknown, options: { readonly pretty: boolean }) => Deparser;

let loading: Promise<DeparserClass> | undefined;

/**
 * SQL of an expression, on one line but for what its constants hold; `undefined` if parsing that again would not give the
 * very same tree. The printer is loaded for the first expression; it needs no permission.
 *
 * @throws whatever the printer throws at a tree that it does not know.
 */
export async function printExpression(parse: Parser, tree: Tree): Promise<string | undefined> {
  loading ??= load();
  const Printer = await loading.catch((error) => {
    loading = undefined;
    throw error;
  });
  const text = new Printer(withParentheses(tree), { pretty: false }).deparseQuery();
  return sameTree(tree, readAgain(parse, text)) ? text : undefined;
}

function readAgain(parse: Parser, text: string): Tree | undefined {
  try {
    return expressionTree(parse, `(${text})`);
  } catch (error) {
    if (error instanceof SyntaxFault) return undefined;
    throw error;
  }
}

/** A node of ours: what stands in parentheses. The grammar forgets them, and the package does not always put them back. */
const PARENTHESES = "Parentheses";

async function load(): Promise<DeparserClass> {
  const { Deparser: untyped } = await import("pgsql-deparser");
  return class extends (untyped as unknown as DeparserClass) {
    [PARENTHESES](node: Tree, context: unknown): string {
      return `(${this.visit(node.arg, context)})`;
    }

    override TypeName(node: unknown, context: unknown): string {
      const raw = rawTypeName(node);
      const type = raw === undefined ? undefined : typeNameOf(raw);
      return type?.ok ? printType(type.value) : super.TypeName(node, context);
    }

    override TypeCast(node: Tree, context: unknown): string {
      const [argument, type] = [this.visit(node.arg, context), this.TypeName(node.typeName, context)];
      const isAtom = ATOM.test(kindOf(node.arg)) && !argument.startsWith("-");
      return isAtom ? `${argument}::${type}` : `CAST(${argument} AS ${type})`;
    }
  };
}

/** What a cast binds to without parentheses. */
const ATOM = /^(A_Const|ColumnRef|SQLValueFunction)$/;

const OPERATOR = /^(A_Expr|BoolExpr|NullTest|BooleanTest)$/;
/** What the package puts into parentheses itself before a subscript or a field. */
const SUBSCRIPTED = /^(TypeCast|A_Expr|FuncCall|A_Indirection|ColumnRef|RowExpr)$/;
const WITH_OPERAND: ReadonlySet<string> = new Set(["NullTest", "BooleanTest", "CollateClause"]);
/** Kinds of `A_Expr` where the package sees to the parentheses, or both sides are between commas. */
const SAFE_KINDS: ReadonlySet<unknown> = new Set(["AEXPR_OP", "AEXPR_NULLIF"]);
/** Kinds whose right side is in parentheses anyway. */
const ENCLOSED: ReadonlySet<unknown> = new Set(["AEXPR_OP_ANY", "AEXPR_OP_ALL", "AEXPR_IN"]);

function withParentheses(node: unknown): unknown {
  const items = list(node);
  if (items !== undefined) return items.map(withParentheses);
  const object = objectOf(node);
  if (object === undefined) return node;
  return Object.fromEntries(
    Object.entries(object).map(([kind, value]) => {
      const inner = withParentheses(value);
      const body = objectOf(inner);
      return [kind, body === undefined ? inner : operandsOf(kind, body)];
    }),
  );
}

function operandsOf(kind: string, body: Tree): Tree {
  if (kind === "A_Indirection" && !SUBSCRIPTED.test(kindOf(body.arg))) return { ...body, arg: inParentheses(body.arg) };
  if (WITH_OPERAND.has(kind)) return { ...body, arg: operand(body.arg) };
  if (kind === "A_Expr" && !SAFE_KINDS.has(body.kind)) {
    const right = ENCLOSED.has(body.kind) ? body.rexpr : bounds(body.rexpr);
    return { ...body, lexpr: operand(body.lexpr), rexpr: right };
  }
  const args = kind === "FuncCall" && body.funcformat === "COERCE_SQL_SYNTAX" ? list(body.args) : undefined;
  return args === undefined ? body : { ...body, args: args.map(operand) };
}

/** BETWEEN has its two bounds in a list. */
function bounds(node: unknown): unknown {
  const items = list(objectOf(objectOf(node)?.List)?.items);
  return items === undefined ? operand(node) : { List: { items: items.map(operand) } };
}

function operand(node: unknown): unknown {
  return OPERATOR.test(kindOf(node)) ? inParentheses(node) : node;
}

function inParentheses(node: unknown): unknown {
  return { [PARENTHESES]: { arg: node } };
}

function kindOf(node: unknown): string {
  return Object.keys(objectOf(node) ?? {})[0] ?? "";
}

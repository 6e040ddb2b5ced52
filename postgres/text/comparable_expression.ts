import { expressionTree } from "./expression_tree.ts";
import { loadParser } from "./pg_query.ts";
import { list, namesOf, objectOf, type Tree } from "./tree.ts";

/** As for every text that PostgreSQL printed: longer ones are compared by their letters. */
const MAXIMUM_LENGTH = 65_536;

/**
 * A text that is equal for an expression and for what PostgreSQL printed after storing it: it adds casts to constants and
 * to varchar columns, and turns IN, LIKE and BETWEEN into the operators behind them. Where nobody recorded what was
 * declared, this tells whether a stored expression is the one that a spec asks for. Not SQL; never sent anywhere.
 *
 * @param varchars Columns of type varchar: PostgreSQL casts them to text, which changes nothing.
 */
export async function comparableExpression(text: string, varchars: ReadonlySet<string>): Promise<string> {
  if (text.length > MAXIMUM_LENGTH) return text;
  const parse = await loadParser();
  try {
    const tree = expressionTree(parse, `(${text}\n)`);
    return tree === undefined ? text : JSON.stringify(new Simplifier(varchars).simplify(tree));
  } catch {
    // Not SQL that we know, or nested too deeply.
    return text;
  }
}

const NUMBERS: ReadonlySet<string> = new Set(["int2", "int4", "int8", "numeric", "float4", "float8"]);
const PLAIN_KINDS: ReadonlySet<unknown> = new Set(["AEXPR_LIKE", "AEXPR_ILIKE"]);

class Simplifier {
  readonly #varchars: ReadonlySet<string>;

  constructor(varchars: ReadonlySet<string>) {
    this.#varchars = varchars;
  }

  simplify(node: unknown): unknown {
    const items = list(node);
    if (items !== undefined) return items.map((item) => this.simplify(item));
    const object = objectOf(node);
    if (object === undefined) return node;
    const cast = objectOf(object.TypeCast);
    if (cast !== undefined) return this.#cast(cast);
    const constant = objectOf(object.A_Const);
    if (constant !== undefined) return { constant: constantOf(constant) };
    const operation = objectOf(object.A_Expr);
    if (operation !== undefined) return this.#operation(operation);
    return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, this.simplify(value)]));
  }

  #cast(cast: Tree): unknown {
    const type = namesOf(objectOf(cast.typeName)?.names)?.at(-1) ?? "";
    const argument = objectOf(cast.arg) ?? {};
    const simple = this.simplify(cast.arg);
    const constant = objectOf(simple)?.constant;
    if (typeof constant === "string") return { constant: NUMBERS.has(type) ? constant.replace(/^'/, "") : constant };
    const column = namesOf(objectOf(argument.ColumnRef)?.fields);
    const isSame = argument.A_ArrayExpr !== undefined ||
      (column?.length === 1 && type === "text" && this.#varchars.has(column[0] ?? "")) ||
      (argument.TypeCast !== undefined && objectOf(objectOf(argument.TypeCast)?.arg)?.A_ArrayExpr !== undefined);
    return isSame ? simple : { TypeCast: { ...cast, arg: simple } };
  }

  #operation(body: Tree): unknown {
    const { kind, name, lexpr, rexpr } = body;
    const [left, right] = [this.simplify(lexpr), this.simplify(rexpr)];
    const items = list(objectOf(objectOf(right)?.List)?.items);
    if (kind === "AEXPR_IN" && items !== undefined) {
      const isNot = namesOf(name)?.[0] === "<>";
      const rest = { name, lexpr: left, rexpr: { A_ArrayExpr: { elements: items } } };
      return { A_Expr: { kind: isNot ? "AEXPR_OP_ALL" : "AEXPR_OP_ANY", ...rest } };
    }
    if (kind === "AEXPR_BETWEEN" && items?.length === 2) {
      const args = [compare(">=", left, items[0]), compare("<=", left, items[1])];
      return { BoolExpr: { boolop: "AND_EXPR", args } };
    }
    const same = PLAIN_KINDS.has(kind) ? "AEXPR_OP" : kind;
    return { A_Expr: { kind: same, name, lexpr: left, rexpr: right } };
  }
}

function compare(operator: string, lexpr: unknown, rexpr: unknown): unknown {
  return { A_Expr: { kind: "AEXPR_OP", name: [{ String: { sval: operator } }], lexpr, rexpr } };
}

/** Text begins with a quote. */
function constantOf(constant: Tree): string {
  const { isnull, sval, ival, fval, boolval } = constant;
  if (isnull === true) return "null";
  if (sval !== undefined) return `'${objectOf(sval)?.sval ?? ""}`;
  if (ival !== undefined) return String(objectOf(ival)?.ival ?? 0);
  if (fval !== undefined) return String(objectOf(fval)?.fval ?? "");
  if (boolval !== undefined) return String(objectOf(boolval)?.boolval ?? false);
  return JSON.stringify(constant);
}

import { AGGREGATES, EXPRESSION_NODES, type Part, refusedNode } from "./expression_nodes.ts";
import { excerpt, type Parsed, parsed, refused, unprintableIn } from "./fault.ts";
import { frozenMoment } from "./literal.ts";
import type { QualifiedName } from "./qualified_name.ts";
import { exact, list, namesOf, objectOf, type Tree } from "./tree.ts";
import { type TypeName, typeNameOf } from "./type_name.ts";
import { rawTypeName } from "./type_tree.ts";

/** Everything that an expression names, each once, in the order in which it stands there. */
export interface ExpressionNames {
  readonly columns: readonly string[];
  readonly functions: readonly QualifiedName[];
  /** Also those that IN, LIKE, BETWEEN and the like stand for. */
  readonly operators: readonly QualifiedName[];
  /** Of casts. */
  readonly types: readonly TypeName[];
}

/** Judges a tree against what an expression may be made of. */
export function readExpression(tree: Tree): Parsed<ExpressionNames> {
  const reader = new Reader();
  reader.visit(tree);
  const [fault] = reader.faults;
  if (fault !== undefined) return refused(fault);
  return parsed({
    columns: [...reader.columns],
    functions: unique(reader.functions),
    operators: unique(reader.operators),
    types: unique(reader.types),
  });
}

/** The first fault of the text is the first of the list. */
class Reader {
  readonly faults: string[] = [];
  readonly columns = new Set<string>();
  readonly functions: QualifiedName[] = [];
  readonly operators: QualifiedName[] = [];
  readonly types: TypeName[] = [];

  visit(node: unknown): void {
    const [entry, ...others] = Object.entries(objectOf(node) ?? {});
    if (entry === undefined || others.length > 0) return this.#refuse("something that is not an expression");
    const [kind, value] = entry;
    const parts = EXPRESSION_NODES.get(kind);
    if (parts === undefined) return this.#refuse(refusedNode(kind));
    const body = exact(value, Object.keys(parts));
    if (body === undefined) {
      return this.#refuse(kind === "FuncCall" ? refusedCall(objectOf(value)) : refusedNode(kind));
    }
    this.#collect(kind, body);
    for (const [key, part] of Object.entries(body)) this.#enter(part, parts[key] ?? "node");
  }

  #enter(value: unknown, part: Part): void {
    switch (part) {
      case "node":
        return this.visit(value);
      case "nodes":
        return (list(value) ?? [undefined]).forEach((node) => this.visit(node));
      case "names":
        return (namesOf(value) ?? [undefined]).forEach((name) => this.#checkName(name));
      case "name":
        return this.#checkName(value);
      case "type":
      case "word":
        return;
    }
  }

  #collect(kind: string, body: Tree): void {
    switch (kind) {
      case "ColumnRef":
        return this.#collectColumn(namesOf(body.fields) ?? []);
      case "A_Expr":
        return this.#collectOperator(String(body.kind), namesOf(body.name) ?? []);
      case "CaseExpr":
        return void (body.arg === undefined || this.operators.push({ name: "=" }));
      case "FuncCall":
        return this.#collectFunction(namesOf(body.funcname) ?? []);
      case "TypeCast":
        return this.#collectType(body);
      case "A_Const":
        return this.#checkConstant(textOf(body) ?? "");
      case "SQLValueFunction":
        return void (Number(body.typmod ?? 0) <= 6 || this.#refuse("a precision over 6"));
    }
  }

  #collectColumn(names: readonly string[]): void {
    const [name, ...rest] = names;
    if (name === undefined) return this.#refuse("*");
    if (rest.length > 0) {
      return this.#fault(
        `The column ${excerpt(names.join("."))} must be named without its table; for a field of a ` +
          "composite value write (column).field",
      );
    }
    this.columns.add(name);
  }

  #collectOperator(kind: string, names: readonly string[]): void {
    const implied = IMPLIED_OPERATORS.get(kind);
    if (implied !== undefined) return void this.operators.push(...implied.map((name) => ({ name })));
    const name = qualified(names);
    if (name === undefined) return this.#refuse("an operator with more than a schema before its name");
    this.operators.push(name);
  }

  #collectFunction(names: readonly string[]): void {
    const name = qualified(names);
    if (name === undefined) return this.#refuse("a function with more than a schema before its name");
    if (AGGREGATES.has(name.name) && (name.schema ?? "pg_catalog") === "pg_catalog") {
      return this.#refuse(`${name.name}(), which is about many rows`);
    }
    this.functions.push(name);
  }

  #collectType(cast: Tree): void {
    const raw = rawTypeName(cast.typeName);
    if (raw === undefined) return this.#refuse("a type that is more than names and constants");
    const type = typeNameOf(raw);
    if (!type.ok) return this.#fault(type.fault);
    this.types.push(type.value);
    const moment = frozenMoment(textOf(objectOf(objectOf(cast.arg)?.A_Const)) ?? "", type.value);
    if (moment !== undefined) {
      this.#fault(
        `The constant '${moment}' would be fixed when it is stored, not for each row: use now() or CURRENT_DATE`,
      );
    }
  }

  #checkName(name: unknown): void {
    const unprintable = typeof name === "string" ? unprintableIn(name) : "*";
    if (unprintable !== undefined) this.#refuse(unprintable === "*" ? "*" : `the character ${unprintable} in a name`);
  }

  /** What the text could not hold as it stands may still come out of an escape. */
  #checkConstant(text: string): void {
    const unprintable = unprintableIn(text.replace(/[\t\n\r\u200b-\u200d\ufeff]/g, ""));
    if (unprintable !== undefined) this.#refuse(`the character ${unprintable} in a constant`);
  }

  #refuse(what: string): void {
    this.#fault(`An expression must not hold ${what}`);
  }

  #fault(fault: string): void {
    this.faults.push(fault);
  }
}

/** Operators that the grammar does not put into the tree by their names. */
const IMPLIED_OPERATORS: ReadonlyMap<string, readonly string[]> = new Map([
  ["AEXPR_BETWEEN", [">=", "<="]],
  ["AEXPR_NOT_BETWEEN", ["<", ">"]],
  ["AEXPR_BETWEEN_SYM", [">=", "<="]],
  ["AEXPR_NOT_BETWEEN_SYM", ["<", ">"]],
]);

function refusedCall(call: Tree | undefined): string {
  const name = (namesOf(call?.funcname) ?? []).at(-1) ?? "";
  return `a call such as ${name}(*), or with DISTINCT, ORDER BY, FILTER, WITHIN GROUP or OVER`;
}

function qualified(names: readonly string[]): QualifiedName | undefined {
  const [first, second] = names;
  if (first === undefined || names.length > 2) return undefined;
  return second === undefined ? { name: first } : { schema: first, name: second };
}

function textOf(constant: Tree | undefined): string | undefined {
  const text = objectOf(constant?.sval)?.sval;
  return typeof text === "string" ? text : undefined;
}

function unique<T>(values: readonly T[]): readonly T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

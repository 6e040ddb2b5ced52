import { BoundedCache } from "./bounded_cache.ts";
import { expressionTree } from "./expression_tree.ts";
import { excerpt, type Parsed, parsed, refused, unprintableIn } from "./fault.ts";
import { didYouMean, nearestName } from "./nearest_name.ts";
import { NO_BUDGET, type ParseBudget } from "./parse_budget.ts";
import { loadParser, type Parser, SyntaxFault } from "./pg_query.ts";
import { printExpression } from "./print_expression.ts";
import { type ExpressionNames, readExpression } from "./read_expression.ts";
import { objectOf } from "./tree.ts";

/** Columns that an expression may name; `none` for a default. */
export interface ExpressionScope {
  readonly columns: ReadonlySet<string> | "none";
}

/** An expression, as new text and as what it names: nothing of what the user wrote but names and constants. */
export interface ParsedExpression extends ExpressionNames {
  /** SQL without outer parentheses, which whoever uses it must put around it. */
  readonly text: string;
}

const MAXIMUM_LENGTH = 4096;
/** The grammar needs quadratic time for them. */
const MAXIMUM_COMMENTS = 8;
/** Characters of all texts whose answers are kept. */
const CACHE_SIZE = 200_000;

const cache = new BoundedCache<Parsed<ParsedExpression>>(CACHE_SIZE);

/**
 * Reads an expression about one row. What the user wrote is parsed by PostgreSQL's own grammar and then forgotten: an
 * accepted tree is printed anew, and only if that text has the very same tree. Layout, comments and needless parentheses
 * go, so that equal texts are equal expressions.
 *
 * Whether its functions and types may be used is another question (`judgeFunctions()`, `judgeTypes()`).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const check = await parseExpression("(AGE >= 0) AND lower(name)=name", { columns: new Set(["age", "name"]) });
 * assertEquals(check.ok && check.value.text, "age >= 0 AND lower(name) = name");
 * ```
 */
export async function parseExpression(
  text: string,
  scope: ExpressionScope,
  budget: ParseBudget = NO_BUDGET,
): Promise<Parsed<ParsedExpression>> {
  const fault = textFault(text);
  if (fault !== undefined) return refused(fault);
  let expression = cache.get(text);
  if (expression === undefined) {
    if (budget.isSpent) return refused(tooComplex(text));
    expression = await parseAnywhere(text, budget);
    cache.set(text, expression);
  }
  const unknown = expression.ok ? scopeFault(expression.value, scope) : undefined;
  return unknown === undefined ? expression : refused(unknown);
}

/** What must not even reach the parser: it takes a C string, is quadratic in comments and recurses. */
function textFault(text: string): string | undefined {
  if (text.trim() === "") return "An expression must not be empty";
  if (text.length > MAXIMUM_LENGTH) {
    return `An expression must be at most ${MAXIMUM_LENGTH} characters: ${excerpt(text)} has ${text.length}`;
  }
  const unprintable = unprintableIn(text.replace(/[\t\n\u200b-\u200d\ufeff]/g, ""));
  if (unprintable !== undefined) return `The expression ${excerpt(text)} must not hold the character ${unprintable}`;
  if (text.split("/*").length - 1 > MAXIMUM_COMMENTS) {
    return `The expression ${excerpt(text)} must hold at most ${MAXIMUM_COMMENTS} comments`;
  }
  return undefined;
}

async function parseAnywhere(text: string, budget: ParseBudget): Promise<Parsed<ParsedExpression>> {
  const parse = await loadParser();
  try {
    return await budget.spend(text, () => parseWith(parse, text));
  } catch (error) {
    return refused(error instanceof SyntaxFault ? notAnExpression(text, error) : tooComplex(text));
  }
}

async function parseWith(parse: Parser, text: string): Promise<Parsed<ParsedExpression>> {
  const tree = expressionTree(parse, text);
  if (tree === undefined) return refused(`${excerpt(text)} is not one expression`);
  if (objectOf(tree.RowExpr)?.row_format === "COERCE_IMPLICIT_CAST") {
    return refused(`${excerpt(text)} is several expressions: it must be one`);
  }
  const names = readExpression(tree);
  if (!names.ok) return names;
  const printed = await printExpression(parse, tree);
  return printed === undefined ? refused(tooComplex(text)) : parsed({ text: printed, ...names.value });
}

function notAnExpression(text: string, error: SyntaxFault): string {
  // The grammar quotes what the user wrote.
  const reason = excerpt(error.message).slice(1, -1);
  return `${excerpt(text)} is not an expression: ${reason}`;
}

function tooComplex(text: string): string {
  return `The expression ${excerpt(text)} is too complex: write it more simply`;
}

function scopeFault(expression: ParsedExpression, scope: ExpressionScope): string | undefined {
  const { columns } = scope;
  if (columns === "none") {
    const [column] = expression.columns;
    return column === undefined
      ? undefined
      : `A default cannot use another column: ${excerpt(column)} is read as one; text must be in single quotes`;
  }
  const unknown = expression.columns.find((column) => !columns.has(column));
  if (unknown === undefined) return undefined;
  const nearest = nearestName(unknown, columns);
  const quotes = nearest === undefined ? "; text must be in single quotes" : "";
  return `There is no column ${excerpt(unknown)}${didYouMean(nearest)}${quotes}`;
}
export {
  canonicalExpression,
  namesInExpression,
  qualifyTypesInExpression,
  renameColumnInExpression,
} from "./canonical_expression.ts";

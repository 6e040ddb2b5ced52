import { type FieldError, invalid, tooLong } from "../../../crds/field_error.ts";
import type { ExpressionNames } from "../../../postgres/text/read_expression.ts";
import {
  type ExpressionScope,
  type ParsedExpression,
  parseExpression,
} from "../../../postgres/text/parse_expression.ts";
import type { ParseBudget } from "../../../postgres/text/parse_budget.ts";
import { isBuiltIn, type TypeName } from "../../../postgres/text/type_name.ts";

/** Characters of all expressions of one object: parsing them holds the process, a few milliseconds for so many. */
const MAXIMUM_TEXT = 65_536;

/** What one expression names, and where it stands. */
export interface NamedExpression {
  readonly path: string;
  readonly names: ExpressionNames;
}

/** A type that is not PostgreSQL's own, and where it is named. */
export interface NamedType {
  readonly path: string;
  readonly type: TypeName;
}

/** Reads the expressions of one object and remembers what they name. */
export class ExpressionReader {
  readonly expressions: NamedExpression[] = [];
  readonly types: NamedType[] = [];
  /** Of all texts of the object, its types included. */
  readonly budget: ParseBudget;
  readonly #errors: FieldError[];
  #length = 0;

  constructor(errors: FieldError[], budget: ParseBudget) {
    this.#errors = errors;
    this.budget = budget;
  }

  async read(text: string, path: string, scope: ExpressionScope): Promise<ParsedExpression | undefined> {
    const before = this.#length;
    this.#length += text.length;
    if (this.#length > MAXIMUM_TEXT) {
      // Said once: every further expression is too much for the same reason.
      if (before <= MAXIMUM_TEXT) {
        this.#errors.push(tooLong(path, `all expressions of one object must be at most ${MAXIMUM_TEXT} characters`));
      }
      return undefined;
    }
    const parsed = await parseExpression(text, scope, this.budget);
    if (!parsed.ok) {
      this.#errors.push(invalid(path, parsed.fault));
      return undefined;
    }
    const { functions, operators, columns, types } = parsed.value;
    this.expressions.push({ path, names: { functions, operators, columns, types } });
    for (const type of parsed.value.types) {
      if (!isBuiltIn(type)) this.types.push({ path, type });
    }
    return parsed.value;
  }
}

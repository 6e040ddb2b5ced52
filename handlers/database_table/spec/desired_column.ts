import { compact } from "../../../crds/decode_fields.ts";
import type { ColumnSpec } from "../../../crds/database_table/types.ts";
import { duplicate, type FieldError, forbidden, invalid } from "../../../crds/field_error.ts";
import type { Column } from "../../../postgres/table.ts";
import { columnNameFault, parseIdentifier } from "../../../postgres/text/identifier.ts";
import { parseDefault } from "../../../postgres/text/literal.ts";
import type { ExpressionScope } from "../../../postgres/text/parse_expression.ts";
import { printType, type TypeName } from "../../../postgres/text/type_name.ts";
import { isNullExpression } from "../../../postgres/text/null_expression.ts";
import type { ExpressionReader } from "./desired_expression.ts";
import { type DesiredType, identityFault, readCollation, readType } from "./desired_type.ts";

/** Where a column stands in the spec. */
export interface ColumnPaths {
  readonly path: string;
  readonly typePath: string;
  readonly key: string;
}

/** Attributes of a column that a spec may leave out; what is left out is left alone on an adopted table. */
export type StatedAttribute = "notNull" | "value" | "collation" | "comment";

/** What gives a column its value. */
type ColumnValue = Pick<Column, "default" | "identity" | "generated">;

/** Turns the columns of a spec into those of a table. The names come first: expressions of any column may name any other. */
export class ColumnCollector {
  readonly columns: Column[] = [];
  readonly types = new Map<string, TypeName>();
  readonly undecided = new Set<string>();
  readonly paths = new Map<string, ColumnPaths>();
  /** Every column with a name of its own, whether its rest was understood or not. */
  readonly named: { readonly name: string; readonly spec: ColumnSpec }[] = [];
  readonly using = new Map<string, string>();
  readonly stated = new Map<string, ReadonlySet<StatedAttribute>>();
  readonly warnings: string[] = [];
  readonly #generated = new Set<string>();
  readonly #errors: FieldError[];
  readonly #expressions: ExpressionReader;
  #scope: ExpressionScope = { columns: new Set() };

  constructor(errors: FieldError[], expressions: ExpressionReader) {
    this.#errors = errors;
    this.#expressions = expressions;
  }

  /** @param faultyKeys Of columns that could not even be decoded. */
  async collect(specs: readonly ColumnSpec[], faultyKeys: readonly string[]): Promise<void> {
    for (const spec of specs) this.#name(spec);
    for (const key of faultyKeys) {
      const name = parseIdentifier(key);
      if (name.ok) this.undecided.add(name.value);
    }
    this.#scope = { columns: new Set([...this.paths.keys(), ...this.undecided]) };
    for (const { name, spec } of this.named) {
      const column = await this.#readColumn(name, spec);
      if (column === undefined) {
        this.undecided.add(name);
      } else {
        this.columns.push(column);
        this.undecided.delete(name);
      }
    }
  }

  has(name: string): boolean {
    return this.paths.has(name) || this.undecided.has(name);
  }

  /** All names, for expressions over the row. */
  scope(): ExpressionScope {
    return this.#scope;
  }

  isGenerated(name: string): boolean {
    return this.#generated.has(name);
  }

  #name(spec: ColumnSpec): void {
    const parsed = parseIdentifier(spec.key);
    const fault = parsed.ok ? columnNameFault(parsed.value) : parsed.fault;
    if (!parsed.ok || fault !== undefined) {
      this.#errors.push(invalid(spec.path, `Cannot use the column's name: ${fault}`));
      return;
    }
    const known = this.paths.get(parsed.value);
    if (known !== undefined) {
      this.#errors.push(duplicate(spec.path, `column "${parsed.value}" is already defined at ${known.path}`));
      return;
    }
    this.paths.set(parsed.value, { path: spec.path, typePath: spec.typePath, key: spec.key });
    if (spec.generatedAs !== undefined) this.#generated.add(parsed.value);
    this.named.push({ name: parsed.value, spec });
  }

  async #readColumn(name: string, spec: ColumnSpec): Promise<Column | undefined> {
    const before = this.#errors.length;
    const type = await readType(spec, this.#errors, this.#expressions.budget);
    const using = await this.#readExpression(spec.using, `${spec.path}.using`, this.scope());
    if (using !== undefined) this.using.set(name, using);
    if (type === undefined) return undefined;
    this.types.set(name, type.type);
    const value = await this.#readValue(spec, type);
    const collation = spec.collation === undefined
      ? undefined
      : readCollation(spec.collation, { path: `${spec.path}.collation`, type: type.type }, this.#errors);
    if (this.#errors.length > before) return undefined;
    this.stated.set(name, statedAttributes(spec, type));
    const notNull = spec.notNull === true || value.identity !== undefined;
    return compact({
      name,
      type: printType(type.type),
      notNull,
      ...value,
      collation: collation === "absent" ? undefined : collation,
      comment: spec.comment === "" ? undefined : spec.comment,
    });
  }

  async #readValue(spec: ColumnSpec, { type, isSerial }: DesiredType): Promise<ColumnValue> {
    if (isSerial) return this.#readSerial(spec, type);
    const literal = parseDefault(spec.default, type);
    if (!literal.ok) this.#errors.push(invalid(`${spec.path}.default`, literal.fault));
    const none: ExpressionScope = { columns: "none" };
    const expression = await this.#readExpression(spec.defaultExpression, `${spec.path}.defaultExpression`, none);
    const generated = await this.#readGenerated(spec);
    const fault = spec.identity === undefined ? undefined : identityFault(type);
    if (fault !== undefined) this.#errors.push(invalid(`${spec.path}.identity`, fault));
    const constant = literal.ok ? literal.value : undefined;
    const computed = expression === undefined || await isNullExpression(expression) ? undefined : expression;
    return compact({ default: constant ?? computed, identity: spec.identity, generated });
  }

  /** A macro in PostgreSQL too; identity is what its documentation says to use instead. */
  #readSerial(spec: ColumnSpec, type: TypeName): ColumnValue {
    for (const field of ["default", "defaultExpression", "identity", "generatedAs"] as const) {
      if (spec[field] === undefined || spec[field] === null) continue;
      this.#errors.push(
        forbidden(`${spec.path}.${field}`, `cannot stand beside the type ${spec.type}: write ${printType(type)}`),
      );
    }
    if (spec.notNull === false) {
      this.#errors.push(invalid(`${spec.path}.notNull`, `must be true or left out: ${spec.type} never holds NULL`));
    }
    this.warnings.push(
      `${spec.typePath}: ${spec.type} is taken as {type: ${printType(type)}, identity: ByDefault}: write it so`,
    );
    return { identity: "ByDefault" };
  }

  async #readGenerated(spec: ColumnSpec): Promise<string | undefined> {
    if (spec.generatedAs === undefined) return undefined;
    const path = `${spec.path}.generatedAs`;
    const parsed = await this.#expressions.read(spec.generatedAs, path, this.scope());
    for (const name of new Set(parsed?.columns)) {
      if (this.isGenerated(name)) {
        this.#errors.push(invalid(path, `cannot use the column "${name}", which is generated itself`));
      }
    }
    return parsed?.text;
  }

  async #readExpression(text: string | undefined, path: string, scope: ExpressionScope): Promise<string | undefined> {
    return text === undefined ? undefined : (await this.#expressions.read(text, path, scope))?.text;
  }
}

/** `serial` says nothing about a table that is there: its column has a sequence of one kind or the other. */
function statedAttributes(spec: ColumnSpec, { isSerial }: DesiredType): ReadonlySet<StatedAttribute> {
  const { notNull, default: literal, defaultExpression, identity, generatedAs, collation, comment } = spec;
  const stated: StatedAttribute[] = [];
  if (notNull !== undefined || identity !== undefined || isSerial) stated.push("notNull");
  if ([literal, defaultExpression, identity, generatedAs].some((value) => value !== undefined)) stated.push("value");
  if (collation !== undefined) stated.push("collation");
  if (comment !== undefined) stated.push("comment");
  return new Set(stated);
}

import { compact } from "../../../crds/decode_fields.ts";
import type { CheckSpec, DefaultedTableSpec, UniqueSpec } from "../../../crds/database_table/types.ts";
import { duplicate, type FieldError, invalid } from "../../../crds/field_error.ts";
import type { Check, PrimaryKey, Unique } from "../../../postgres/table.ts";
import { parseIdentifierList } from "../../../postgres/text/identifier.ts";
import type { ColumnCollector } from "./desired_column.ts";
import type { ExpressionReader } from "./desired_expression.ts";
import { readColumnNames, readName, readPartName, unknownColumn } from "./desired_name.ts";

/** A constraint or an index, and where it stands in the spec. */
export interface DesiredPart<T> {
  readonly part: T;
  readonly path: string;
}

/** What the parts of a table are read with. */
export interface PartContext {
  /** Folded; `undefined` if it could not be read. */
  readonly schema: string | undefined;
  readonly table: string | undefined;
  readonly columns: ColumnCollector;
  readonly expressions: ExpressionReader;
  readonly errors: FieldError[];
}

export const PRIMARY_KEY_PATH = "spec.primaryKey";

/** Reads `spec.primaryKey`; `undefined` with a fault. */
export function readPrimaryKey(
  primaryKey: string | readonly string[],
  { columns, errors }: PartContext,
): PrimaryKey | undefined {
  const path = PRIMARY_KEY_PATH;
  const before = errors.length;
  const names = typeof primaryKey === "string"
    ? readKeyText(primaryKey, errors)
    : primaryKey.map((text, index) => readName(text, `${path}[${index}]`, errors));
  const known: string[] = [];
  for (const name of names) {
    if (name === undefined) continue;
    if (!columns.has(name)) errors.push(unknownColumn(path, name));
    else if (known.includes(name)) errors.push(duplicate(path, `column "${name}" is named twice`));
    else known.push(name);
  }
  return errors.length > before || known.length === 0 ? undefined : { columns: known };
}

function readKeyText(text: string, errors: FieldError[]): readonly string[] {
  const parsed = parseIdentifierList(text);
  if (parsed.ok) return parsed.value;
  errors.push(invalid(PRIMARY_KEY_PATH, parsed.fault));
  return [];
}

/** The unique constraints of single columns, then those of the list. */
export function readUniques(spec: DefaultedTableSpec, context: PartContext): readonly DesiredPart<Unique>[] {
  const ofColumns = context.columns.named.filter((column) => column.spec.unique === true).map((column) => ({
    part: { columns: [column.name], nullsNotDistinct: false },
    path: `${column.spec.path}.unique`,
  }));
  const ofList = spec.uniqueConstraints.flatMap((unique) => readUnique(unique, context) ?? []);
  return [...ofColumns, ...ofList];
}

function readUnique(spec: UniqueSpec, context: PartContext): DesiredPart<Unique> | undefined {
  const { path, nullsNotDistinct = false } = spec;
  const name = readPartName(spec.name, `${path}.name`, context.errors);
  const columns = readColumnNames(spec.columns, `${path}.columns`, context);
  return columns === undefined ? undefined : { path, part: compact({ name, columns, nullsNotDistinct }) };
}

/** The checks of single columns, then those of the list. */
export async function readChecks(
  spec: DefaultedTableSpec,
  context: PartContext,
): Promise<readonly DesiredPart<Check>[]> {
  const ofColumns = context.columns.named.flatMap(({ spec: { check, path } }) =>
    check === undefined ? [] : [{ path: `${path}.check`, expressionPath: `${path}.check`, expression: check }]
  );
  const ofList = spec.checks.map((check) => ({ ...check, expressionPath: `${check.path}.expression` }));
  const checks: DesiredPart<Check>[] = [];
  for (const each of [...ofColumns, ...ofList]) {
    const check = await readCheck(each, context);
    if (check !== undefined) checks.push(check);
  }
  return checks;
}

async function readCheck(
  spec: CheckSpec & { readonly expressionPath: string },
  { columns, expressions, errors }: PartContext,
): Promise<DesiredPart<Check> | undefined> {
  const name = readPartName(spec.name, `${spec.path}.name`, errors);
  const expression = await expressions.read(spec.expression, spec.expressionPath, columns.scope());
  if (expression === undefined) return undefined;
  return { path: spec.path, part: compact({ name, expression: expression.text, validated: true }) };
}

import type { ColumnSpec, DefaultedTableSpec } from "../../crds/database_table/types.ts";
import { duplicate, type FieldError, invalid } from "../../crds/field_error.ts";
import {
  columnNameFault,
  parseIdentifier,
  parseIdentifierList,
  schemaNameFault,
} from "../../postgres/text/identifier.ts";
import { parseDefault } from "../../postgres/text/literal.ts";
import { parseType } from "../../postgres/text/parse_type.ts";
import type { Column, Table } from "../../postgres/table.ts";
import { printType } from "../../postgres/text/type_name.ts";

/** What a spec asks for. With errors the table holds what was understood, for judging the rest beside them. */
export interface DesiredTable {
  readonly errors: readonly FieldError[];
  /** `undefined` when not even its name is known. */
  readonly table: Table | undefined;
  /** Folded names of columns that the spec has but nobody understood: no plan may drop or change them. */
  readonly undecided: ReadonlySet<string>;
  /** Field paths by folded column name, for faults that a plan finds. */
  readonly columnPaths: ReadonlyMap<string, { readonly path: string; readonly typePath: string; readonly key: string }>;
}

/**
 * Turns a spec into a table: names folded, types and defaults printed from what PostgreSQL's own grammar understood.
 *
 * @param faultyColumns Keys of columns that could not even be decoded.
 */
export async function desiredTable(
  spec: DefaultedTableSpec,
  faultyColumns: readonly string[] = [],
): Promise<DesiredTable> {
  const errors: FieldError[] = [];
  const name = parseName(spec.tableName, "spec.tableName", errors);
  const schema = parseSchema(spec.schema, errors);
  const columns = new ColumnCollector(errors);
  for (const column of spec.columns) await columns.add(column);
  for (const key of faultyColumns) columns.leaveUndecided(key);
  const key = parsePrimaryKey(spec.primaryKey, columns, errors);
  const keyed = new Set(key);
  return {
    errors,
    undecided: columns.undecided,
    columnPaths: columns.paths,
    table: name === undefined || schema === undefined ? undefined : {
      schema,
      name,
      columns: columns.columns.map((column) => keyed.has(column.name) ? { ...column, notNull: true } : column),
      unmanaged: [],
      ...(key === undefined ? {} : { primaryKey: { columns: key } }),
    },
  };
}

function parseName(text: string, path: string, errors: FieldError[]): string | undefined {
  const parsed = parseIdentifier(text);
  if (parsed.ok) return parsed.value;
  errors.push(invalid(path, parsed.fault));
  return undefined;
}

function parseSchema(text: string, errors: FieldError[]): string | undefined {
  const name = parseName(text, "spec.schema", errors);
  const fault = name === undefined ? undefined : schemaNameFault(name);
  if (fault === undefined) return name;
  errors.push(invalid("spec.schema", fault));
  return undefined;
}

class ColumnCollector {
  readonly columns: Column[] = [];
  readonly undecided = new Set<string>();
  readonly paths = new Map<string, { path: string; typePath: string; key: string }>();
  readonly #errors: FieldError[];

  constructor(errors: FieldError[]) {
    this.#errors = errors;
  }

  async add(spec: ColumnSpec): Promise<void> {
    const name = this.#parseColumnName(spec);
    if (name === undefined) return;
    const known = this.paths.get(name);
    if (known !== undefined) {
      this.#errors.push(duplicate(spec.path, `column "${name}" is already defined at ${known.path}`));
      return;
    }
    this.paths.set(name, { path: spec.path, typePath: spec.typePath, key: spec.key });
    const column = await this.#parseColumn(name, spec);
    if (column === undefined) this.undecided.add(name);
    else this.columns.push(column);
  }

  leaveUndecided(key: string): void {
    const name = parseIdentifier(key);
    if (name.ok && !this.columns.some((column) => column.name === name.value)) this.undecided.add(name.value);
  }

  has(name: string): boolean {
    return this.paths.has(name) || this.undecided.has(name);
  }

  #parseColumnName(spec: ColumnSpec): string | undefined {
    const parsed = parseIdentifier(spec.key);
    const fault = parsed.ok ? columnNameFault(parsed.value) : parsed.fault;
    if (parsed.ok && fault === undefined) return parsed.value;
    this.#errors.push(invalid(spec.path, `Cannot use the column's name: ${fault}`));
    return undefined;
  }

  async #parseColumn(name: string, spec: ColumnSpec): Promise<Column | undefined> {
    const type = await parseType(spec.type);
    if (!type.ok) {
      this.#errors.push(invalid(spec.typePath, type.fault + longFormHint(spec)));
      return undefined;
    }
    const literal = parseDefault(spec.default, type.value);
    if (!literal.ok) {
      this.#errors.push(invalid(`${spec.path}.default`, literal.fault));
      return undefined;
    }
    const column = { name, type: printType(type.value), notNull: spec.notNull };
    return literal.value === undefined ? column : { ...column, default: literal.value };
  }
}

/** Users of other tools write constraints behind the type: the long form says the same. */
function longFormHint(spec: ColumnSpec): string {
  const isShortForm = spec.path === spec.typePath;
  if (!isShortForm || !/\b(not\s+null|default)\b/i.test(spec.type)) return "";
  return `, such as ${spec.key}: {type: …, notNull: true, default: …}`;
}

function parsePrimaryKey(
  primaryKey: string | readonly string[],
  columns: ColumnCollector,
  errors: FieldError[],
): readonly string[] | undefined {
  const path = "spec.primaryKey";
  const before = errors.length;
  const names = typeof primaryKey === "string"
    ? parseKeyText(primaryKey, path, errors)
    : primaryKey.map((text, index) => parseName(text, `${path}[${index}]`, errors));
  const known: string[] = [];
  for (const name of names) {
    if (name === undefined) continue;
    if (!columns.has(name)) errors.push(invalid(path, `column "${name}" is not in spec.columns`));
    else if (known.includes(name)) errors.push(duplicate(path, `column "${name}" is named twice`));
    else known.push(name);
  }
  return errors.length > before ? undefined : known;
}

function parseKeyText(text: string, path: string, errors: FieldError[]): readonly string[] {
  const parsed = parseIdentifierList(text);
  if (parsed.ok) return parsed.value;
  errors.push(invalid(path, parsed.fault));
  return [];
}

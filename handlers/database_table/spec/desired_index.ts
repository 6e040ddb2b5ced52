import { compact } from "../../../crds/decode_fields.ts";
import type { DefaultedTableSpec, IndexColumnSpec, IndexSpec } from "../../../crds/database_table/types.ts";
import { type FieldError, invalid } from "../../../crds/field_error.ts";
import { indexMethod, isDefaultOpclass } from "../../../postgres/resolve/index_method.ts";
import type { Index, IndexKey } from "../../../postgres/table.ts";
import { ownCollation } from "../../../postgres/text/collation.ts";
import { parseIdentifier, qualifiedName } from "../../../postgres/text/identifier.ts";
import { parseQualifiedName } from "../../../postgres/text/qualified_name.ts";
import type { DesiredPart, PartContext } from "./desired_constraint.ts";
import { readColumnNames, readName, readPartName, unknownColumn } from "./desired_name.ts";
import { readCollation } from "./desired_type.ts";

/** Reads `spec.indexes`. */
export async function readIndexes(
  spec: DefaultedTableSpec,
  context: PartContext,
): Promise<readonly DesiredPart<Index>[]> {
  const indexes: DesiredPart<Index>[] = [];
  for (const each of spec.indexes) {
    const index = await readIndex(each, context);
    if (index !== undefined) indexes.push(index);
  }
  return indexes;
}

async function readIndex(spec: IndexSpec, context: PartContext): Promise<DesiredPart<Index> | undefined> {
  const { path } = spec;
  const { columns, errors, expressions } = context;
  const before = errors.length;
  const name = readPartName(spec.name, `${path}.name`, errors);
  const method = spec.method === undefined ? "btree" : readName(spec.method, `${path}.method`, errors);
  const keys = await readKeys(spec, method ?? "btree", context);
  const include = readColumnNames(spec.include ?? [], `${path}.include`, context) ?? [];
  const where = spec.where === undefined
    ? undefined
    : (await expressions.read(spec.where, `${path}.where`, columns.scope()))?.text;
  if (method !== undefined) errors.push(...methodFaults(spec, method));
  if (errors.length > before || method === undefined || keys.length === 0) return undefined;
  const { unique = false } = spec;
  return { path, part: compact({ name, unique, nullsNotDistinct: false, method, keys, include, where, valid: true }) };
}

async function readKeys(spec: IndexSpec, method: string, context: PartContext): Promise<readonly IndexKey[]> {
  const keys = (spec.columns ?? []).flatMap((column) => readKey(column, method, context) ?? []);
  for (const [index, text] of (spec.expressions ?? []).entries()) {
    const path = `${spec.path}.expressions[${index}]`;
    const expression = await context.expressions.read(text, path, context.columns.scope());
    if (expression === undefined) continue;
    const column = plainColumn(expression);
    if (column === undefined) {
      keys.push({ expression: expression.text, order: "Ascending", nulls: "Last" });
    } else if (column === expression.text) {
      const key = readKey({ path, name: column }, method, context);
      if (key !== undefined) keys.push(key);
    } else {
      const instead = `columns: [{name, collation}]`;
      context.errors.push(invalid(path, `is a column with a collation and no expression: write ${instead}`));
    }
  }
  return keys;
}

/** PostgreSQL stores an expression that is a column, perhaps with a collation, as that column. */
function plainColumn(
  { text, columns }: { readonly text: string; readonly columns: readonly string[] },
): string | undefined {
  const [head = ""] = text.replaceAll(/[()]/g, "").split(" COLLATE ");
  const name = parseIdentifier(head);
  return columns.length === 1 && name.ok && name.value === columns[0] ? head : undefined;
}

function readKey(spec: IndexColumnSpec, method: string, context: PartContext): IndexKey | undefined {
  const { path, order = "Ascending" } = spec;
  const { columns, errors } = context;
  const column = readName(spec.name, path, errors);
  if (column === undefined) return undefined;
  if (!columns.has(column)) {
    errors.push(unknownColumn(path, column));
    return undefined;
  }
  const nulls = spec.nulls ?? (order === "Ascending" ? "Last" : "First");
  const opclass = readOpclass(spec, { column, method }, context);
  return compact({ column, opclass, collation: readKeyCollation(spec, column, context), order, nulls });
}

/** The one that PostgreSQL would choose anyway is left out: it does not tell them apart. */
function readOpclass(
  spec: IndexColumnSpec,
  key: { readonly column: string; readonly method: string },
  { columns, errors }: PartContext,
): string | undefined {
  if (spec.opclass === undefined) return undefined;
  const name = parseQualifiedName(spec.opclass);
  if (!name.ok) {
    errors.push(invalid(`${spec.path}.opclass`, name.fault));
    return undefined;
  }
  const opclass = qualifiedName(name.value.schema ?? "pg_catalog", name.value.name);
  const type = columns.types.get(key.column);
  return type !== undefined && isDefaultOpclass(key.method, opclass, type) ? undefined : opclass;
}

/** The column's own collation is left out. */
function readKeyCollation(
  spec: IndexColumnSpec,
  column: string,
  { columns, errors }: PartContext,
): string | undefined {
  const type = columns.types.get(column);
  if (spec.collation === undefined || type === undefined) return undefined;
  const collation = readCollation(spec.collation, { path: `${spec.path}.collation`, type }, errors);
  const ofColumn = columns.columns.find((each) => each.name === column)?.collation;
  if (collation === ofColumn || collation === "absent" && ofColumn === undefined) return undefined;
  return collation === "absent" ? ownCollation(type) : collation;
}

/** What the access method cannot do. */
function methodFaults(spec: IndexSpec, method: string): readonly FieldError[] {
  const { path, columns = [], expressions = [] } = spec;
  const able = indexMethod(method);
  const errors: FieldError[] = [];
  if (spec.unique === true && !able.canUnique) {
    errors.push(invalid(`${path}.unique`, `an index of method ${method} cannot be unique: only btree can`));
  }
  if (columns.length + expressions.length > 1 && !able.canMultiCol) {
    errors.push(invalid(path, `an index of method ${method} has one column or expression only`));
  }
  if (spec.include !== undefined && !able.canInclude) {
    errors.push(invalid(`${path}.include`, `an index of method ${method} cannot include columns`));
  }
  if (able.canOrder) return errors;
  for (const column of columns) {
    for (const field of ["order", "nulls"] as const) {
      if (column[field] === undefined) continue;
      errors.push(invalid(`${column.path}.${field}`, `an index of method ${method} has no order: only btree has`));
    }
  }
  return errors;
}

import { compact } from "../../../crds/decode_fields.ts";
import type {
  AdoptionPolicy,
  AllowedChange,
  DefaultedTableSpec,
  OnlineMode,
} from "../../../crds/database_table/types.ts";
import type { FieldError } from "../../../crds/field_error.ts";
import type { Table } from "../../../postgres/table.ts";
import { NO_BUDGET, type ParseBudget } from "../../../postgres/text/parse_budget.ts";
import { isBuiltIn } from "../../../postgres/text/type_name.ts";
import { ColumnCollector, type ColumnPaths, type StatedAttribute } from "./desired_column.ts";
import { type DesiredPart, type PartContext, readChecks, readPrimaryKey, readUniques } from "./desired_constraint.ts";
import { type DesiredParts, duplicateFaults } from "./desired_duplicate.ts";
import { ExpressionReader, type NamedExpression, type NamedType } from "./desired_expression.ts";
import { checkSelfReferences, readForeignKeys } from "./desired_foreign_key.ts";
import { readIndexes } from "./desired_index.ts";
import { readName, readSchema } from "./desired_name.ts";
import { readRenames } from "./desired_rename.ts";

/** What a spec asks for. With errors the table holds what was understood, for judging the rest beside them. */
export interface DesiredTable {
  readonly errors: readonly FieldError[];
  /** One line each, for whoever applies the object. */
  readonly warnings: readonly string[];
  /** `undefined` when not even its name is known. */
  readonly table: Table | undefined;
  /** Folded names of columns that the spec has but nobody understood: no plan may drop or change them. */
  readonly undecided: ReadonlySet<string>;
  /** Field paths by folded column name, for faults that a plan finds. */
  readonly columnPaths: ReadonlyMap<string, ColumnPaths>;
  /** Old name by new name. */
  readonly renames: ReadonlyMap<string, string>;
  /** SQL that makes the new value where a type changes, by column. */
  readonly using: ReadonlyMap<string, string>;
  /** Field paths of the parts of the table, each list parallel to that of the table. */
  readonly paths: PartPaths;
  readonly changePolicy: ChangePolicy;
  /** What every expression names: whether it may be called, only the catalog knows. */
  readonly expressions: readonly NamedExpression[];
  /** Every type of a column or a cast that is not PostgreSQL's own: where it is, only the catalog knows. */
  readonly types: readonly NamedType[];
  /** What the spec says of each column, beside its type. */
  readonly stated: ReadonlyMap<string, ReadonlySet<StatedAttribute>>;
  readonly statesComment: boolean;
  readonly adoptionPolicy: AdoptionPolicy;
}

export interface PartPaths {
  readonly primaryKey: string;
  readonly uniques: readonly string[];
  readonly checks: readonly string[];
  readonly foreignKeys: readonly string[];
  readonly indexes: readonly string[];
}

export interface ChangePolicy {
  readonly allow: ReadonlySet<AllowedChange>;
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly online: OnlineMode;
}

/**
 * Turns a spec into a table: names folded, types and expressions printed from what PostgreSQL's own grammar understood.
 * Everything stands in the order of the spec.
 *
 * @param faultyColumns Keys of columns that could not even be decoded.
 */
export async function desiredTable(
  spec: DefaultedTableSpec,
  faultyColumns: readonly string[] = [],
  budget: ParseBudget = NO_BUDGET,
): Promise<DesiredTable> {
  const errors: FieldError[] = [];
  const table = readName(spec.tableName, "spec.tableName", errors);
  const schema = readSchema(spec.schema, "spec.schema", errors);
  const expressions = new ExpressionReader(errors, budget);
  const columns = new ColumnCollector(errors, expressions);
  await columns.collect(spec.columns, faultyColumns);
  const renames = readRenames(columns, errors);
  const parts = await readParts(spec, { schema, table, columns, expressions, errors });
  return {
    errors,
    warnings: columns.warnings,
    undecided: columns.undecided,
    columnPaths: columns.paths,
    renames,
    using: columns.using,
    paths: pathsOf(parts),
    changePolicy: changePolicyOf(spec),
    expressions: expressions.expressions,
    types: [...columnTypes(columns), ...expressions.types],
    stated: columns.stated,
    statesComment: spec.comment !== undefined,
    adoptionPolicy: spec.adoptionPolicy,
    table: table === undefined || schema === undefined
      ? undefined
      : tableOf({ schema, name: table, comment: spec.comment }, columns, parts),
  };
}

async function readParts(spec: DefaultedTableSpec, context: PartContext): Promise<DesiredParts> {
  const primaryKey = readPrimaryKey(spec.primaryKey, context);
  const uniques = readUniques(spec, context);
  const checks = await readChecks(spec, context);
  const foreignKeys = readForeignKeys(spec, context);
  const indexes = await readIndexes(spec, context);
  const parts = { table: context.table, primaryKey, uniques, checks, foreignKeys, indexes };
  // With a key that could not be read, nobody knows what is unique.
  if (primaryKey !== undefined) checkSelfReferences(foreignKeys, uniqueColumns(parts), context);
  context.errors.push(...duplicateFaults(parts));
  return parts;
}

function columnTypes({ types, paths }: ColumnCollector): readonly NamedType[] {
  return [...types].filter(([, type]) => !isBuiltIn(type))
    .map(([name, type]) => ({ path: paths.get(name)?.typePath ?? "spec.columns", type }));
}

/** Sets of columns that a foreign key may refer to. */
function uniqueColumns({ primaryKey, uniques, indexes }: DesiredParts): readonly (readonly string[])[] {
  const ofIndexes = indexes
    .filter(({ part }) => part.unique && part.where === undefined)
    .map(({ part }) => part.keys.map((key) => key.column ?? ""))
    .filter((names) => !names.includes(""));
  return [...(primaryKey === undefined ? [] : [primaryKey.columns]), ...uniques.map(({ part }) => part.columns)]
    .concat(ofIndexes);
}

function tableOf(
  names: { readonly schema: string; readonly name: string; readonly comment: string | undefined },
  columns: ColumnCollector,
  parts: DesiredParts,
): Table {
  const keyed = new Set(parts.primaryKey?.columns);
  return compact({
    ...names,
    comment: names.comment === "" ? undefined : names.comment,
    columns: columns.columns.map((column) => keyed.has(column.name) ? { ...column, notNull: true } : column),
    primaryKey: parts.primaryKey,
    uniques: parts.uniques.map(partOf),
    checks: parts.checks.map(partOf),
    foreignKeys: parts.foreignKeys.map(partOf),
    indexes: parts.indexes.map(partOf),
    unmanaged: [],
  });
}

function partOf<T>({ part }: DesiredPart<T>): T {
  return part;
}

function pathsOf(parts: DesiredParts): PartPaths {
  const path = (part: DesiredPart<unknown>) => part.path;
  return {
    primaryKey: "spec.primaryKey",
    uniques: parts.uniques.map(path),
    checks: parts.checks.map(path),
    foreignKeys: parts.foreignKeys.map(path),
    indexes: parts.indexes.map(path),
  };
}

function changePolicyOf({ changePolicy }: DefaultedTableSpec): ChangePolicy {
  return {
    allow: new Set(changePolicy.allow),
    lockTimeoutMs: changePolicy.lockTimeoutSeconds * 1_000,
    statementTimeoutMs: changePolicy.statementTimeoutSeconds * 1_000,
    online: changePolicy.online,
  };
}

import type { Deferrability, Identity, IndexKey, ReferentialAction } from "../table.ts";

/**
 * What the catalog holds under one name, read in one query. A name that is "printed" has its schema before it and quotes
 * where SQL needs them: it is for people.
 */
export interface Relation {
  /** 0 for the kind "type": the oids of types and relations are numbered apart. */
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: RelationKind;
  /** Of an index: the table that it belongs to, printed. */
  readonly indexOf?: string;
  readonly comment?: string;
  readonly columns: readonly CatalogColumn[];
  /** Without NOT NULL, which the column tells, and without {@linkcode Relation.helperChecks}. */
  readonly constraints: readonly CatalogConstraint[];
  /** What a step of ours left behind while it makes a column NOT NULL without stopping its table's users. */
  readonly helperChecks: readonly HelperCheck[];
  /** Those that no constraint owns. */
  readonly indexes: readonly CatalogIndex[];
  /** Those that somebody made; PostgreSQL's own, of foreign keys, are not among them. */
  readonly triggers: readonly string[];
  /** Of row security. */
  readonly policies: readonly string[];
  /** Extended statistics, printed. */
  readonly statistics: readonly string[];
  /** Parents and children, printed. */
  readonly inheritance: readonly string[];
  /** Publications that send this table, by name, by schema or because they send all. */
  readonly publications: readonly string[];
  readonly replicaIdentity: "Default" | "Nothing" | "Full" | "Index";
  /** Whether the operator's role owns it, itself or as a member. */
  readonly ownedByRole: boolean;
  /** What makes altering it run other people's code or touch other tables; empty for an ordinary table. */
  readonly peculiarities: readonly string[];
  /** `pg_class.reltuples`; `undefined` before the first ANALYZE. */
  readonly rowEstimate: number | undefined;
  /** With indexes and TOAST. */
  readonly totalBytes: number;
  /** Of the rows alone. 0: there are none, as long as nobody can add one. */
  readonly relationBytes: number;
  /** Foreign keys of other tables that need this one. */
  readonly inbound: readonly InboundKey[];
  /** What reads it: views, materialized views, rules of other relations, functions with an SQL body. */
  readonly readers: readonly Reader[];
}

export type RelationKind =
  | "table"
  | "view"
  | "materialized view"
  | "foreign table"
  | "partitioned table"
  | "index"
  | "sequence"
  | "composite type"
  | "TOAST table"
  /** An enum, a domain, a range: a table takes the name of a type, too. */
  | "type";

export interface CatalogColumn {
  /** `attnum`; stays when the column is renamed. */
  readonly number: number;
  readonly name: string;
  /** As `printType()` writes it: `format_type()` for PostgreSQL's own types, quoted names for all others. */
  readonly type: string;
  /** True also while rows that were there before may hold NULL: see `notNullValidated`. */
  readonly notNull: boolean;
  /** `false`: PostgreSQL 18's NOT NULL NOT VALID. */
  readonly notNullValidated: boolean;
  /** From PostgreSQL 18 on NOT NULL is a constraint with a name. */
  readonly notNullConstraint?: string;
  /** `pg_get_expr()` of the default. */
  readonly default?: string;
  readonly identity?: Identity;
  /** `pg_get_expr()` of what the column is computed from. */
  readonly generated?: string;
  /** PostgreSQL 18: computed when it is read. */
  readonly virtual?: true;
  /** Quoted, with its schema; absent: the type's own. */
  readonly collation?: string;
  readonly comment?: string;
}

export type ConstraintKind =
  | "primary key"
  | "unique"
  | "check"
  | "foreign key"
  | "exclusion"
  | "constraint trigger";

export interface CatalogConstraint {
  /** Grows with every constraint that is made; stays when it is renamed. */
  readonly oid: number;
  readonly name: string;
  readonly kind: ConstraintKind;
  /** In the order of the key; of a check those that it mentions. */
  readonly columns: readonly string[];
  /** `false`: NOT VALID. */
  readonly validated: boolean;
  /** `false`: PostgreSQL 18's NOT ENFORCED. */
  readonly enforced: boolean;
  readonly deferrable: Deferrability;
  /** `pg_get_expr()` of a check. */
  readonly expression?: string;
  /** Of a check: not for children. */
  readonly noInherit?: true;
  readonly references?: CatalogReference;
  /** Of a key or an exclusion: the index that serves it. */
  readonly index?: string;
  readonly include?: readonly string[];
  readonly nullsNotDistinct?: boolean;
  /** PostgreSQL 18: WITHOUT OVERLAPS or PERIOD. */
  readonly period?: true;
}

/** What a foreign key points to, and what happens when that changes. */
export interface CatalogReference {
  readonly schema: string;
  readonly table: string;
  /** Parallel to the columns of the key. */
  readonly columns: readonly string[];
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
  readonly match: "Simple" | "Full" | "Partial";
  /** Of SET NULL and SET DEFAULT on delete: only these columns. */
  readonly deleteColumns?: readonly string[];
}

export interface CatalogIndex {
  /** Grows with every index that is made; stays when it is renamed. */
  readonly oid: number;
  readonly name: string;
  readonly unique: boolean;
  readonly nullsNotDistinct: boolean;
  /** `false`: no query uses it; a build with CONCURRENTLY runs (see `building`) or did not end. */
  readonly valid: boolean;
  /** `false`: not even writes keep it up to date. */
  readonly ready: boolean;
  /** Somebody builds it right now. Only builds by the operator's own role are seen for sure. */
  readonly building: boolean;
  readonly method: string;
  /** An expression is the text of `pg_get_indexdef()`: a call is bare, all others are in parentheses. */
  readonly keys: readonly CatalogIndexKey[];
  readonly include: readonly string[];
  /** `pg_get_expr()` of the condition. */
  readonly where?: string;
}

export interface CatalogIndexKey extends IndexKey {
  /** The operator class was given parameters. */
  readonly parameters?: true;
}

/** `CHECK (column IS NOT NULL)` under the name `tablewright_nn_<attnum>`. */
export interface HelperCheck {
  readonly name: string;
  readonly column: string;
  readonly validated: boolean;
}

/** A foreign key of another table. */
export interface InboundKey {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  /** Of the other table. */
  readonly columns: readonly string[];
  /** Of this one. */
  readonly references: readonly string[];
  /** The unique index of this table without which the key cannot be. */
  readonly index: string;
}

export interface Reader {
  readonly kind: "view" | "materialized view" | "rule" | "function";
  /** Printed; of a rule: `schema.table rule`. */
  readonly name: string;
  /** Empty if it only counts rows. */
  readonly columns: readonly string[];
  /** Constraints of this table that it needs: GROUP BY a primary key. */
  readonly constraints: readonly string[];
}

/** Begins the name of a {@linkcode HelperCheck}. */
const HELPER_PREFIX = "tablewright_nn_";

/** The name of the check that stands for NOT NULL while its rows are looked at. */
export function helperCheckName(column: Pick<CatalogColumn, "number">): string {
  return `${HELPER_PREFIX}${column.number}`;
}

/** Parts our helper checks from the other constraints: by their name, and by being what we make under it. */
export function partHelperChecks(
  constraints: readonly CatalogConstraint[],
  columns: readonly CatalogColumn[],
): Pick<Relation, "constraints" | "helperChecks"> {
  const isHelper = ({ kind, name, columns: [only, ...others], expression = "" }: CatalogConstraint) =>
    kind === "check" && name.startsWith(HELPER_PREFIX) && others.length === 0 && expression.endsWith(" IS NOT NULL)") &&
    columns.some((column) => column.name === only && helperCheckName(column) === name);
  return {
    constraints: constraints.filter((constraint) => !isHelper(constraint)),
    helperChecks: constraints.filter(isHelper)
      .map(({ name, columns: [column = ""], validated }) => ({ name, column, validated })),
  };
}

/** A name with its schema for people: quoted only where SQL needs it. */
export function printedName(schema: string, name: string): string {
  return [schema, name].map((each) => /^[a-z_][a-z0-9_$]*$/.test(each) ? each : `"${each.replaceAll('"', '""')}"`)
    .join(".");
}

/** A table of the operator with nothing in it, to be spread and filled. */
export function emptyRelation(schema: string, name: string): Relation {
  return {
    oid: 0,
    schema,
    name,
    kind: "table",
    columns: [],
    constraints: [],
    helperChecks: [],
    indexes: [],
    triggers: [],
    policies: [],
    statistics: [],
    inheritance: [],
    publications: [],
    replicaIdentity: "Default",
    ownedByRole: true,
    peculiarities: [],
    rowEstimate: undefined,
    totalBytes: 0,
    relationBytes: 0,
    inbound: [],
    readers: [],
  };
}

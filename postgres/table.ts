/**
 * A table: one type for what a spec asks for and for what the catalog holds, so that a plan compares like with like.
 *
 * Names are folded. Types are the text that `printType()` writes. Expressions are SQL text as `printExpression()` writes it;
 * of an observed table it is the text that was declared, as long as the stored expression is still the one that PostgreSQL
 * made of it (the registry knows both), else the stored text. A name that is absent was left to PostgreSQL: such parts are
 * compared by structure.
 */
export interface Table {
  readonly schema: string;
  readonly name: string;
  readonly comment?: string;
  readonly columns: readonly Column[];
  readonly primaryKey?: PrimaryKey;
  readonly uniques: readonly Unique[];
  readonly checks: readonly Check[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly indexes: readonly Index[];
  /** What is neither ours nor named by the spec; no plan touches it. */
  readonly unmanaged: readonly UnmanagedObject[];
}

/** A column; at most one of `default`, `identity` and `generated`. */
export interface Column {
  readonly name: string;
  readonly type: string;
  /** Whether NULL is refused; true for every column of the primary key and every identity column. */
  readonly notNull: boolean;
  /** SQL of the default, literal or expression. */
  readonly default?: string;
  readonly identity?: Identity;
  /** SQL of a stored generated column. */
  readonly generated?: string;
  /** Quoted, with its schema; absent: the type's own. */
  readonly collation?: string;
  readonly comment?: string;
}

export type Identity = "Always" | "ByDefault";

export interface PrimaryKey {
  readonly name?: string;
  readonly columns: readonly string[];
}

export interface Unique {
  readonly name?: string;
  readonly columns: readonly string[];
  readonly nullsNotDistinct: boolean;
}

export interface Check {
  readonly name?: string;
  /** SQL of the condition, without CHECK. */
  readonly expression: string;
  /** `false`: NOT VALID, rows that were there before are not checked yet. Always `true` in a desired table. */
  readonly validated: boolean;
}

export interface ForeignKey {
  readonly name?: string;
  readonly columns: readonly string[];
  readonly references: { readonly schema: string; readonly table: string; readonly columns: readonly string[] };
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
  readonly deferrable: Deferrability;
  /** As of a check. */
  readonly validated: boolean;
}

/** As in SQL, in the words of the API. */
export type ReferentialAction = "NoAction" | "Restrict" | "Cascade" | "SetNull" | "SetDefault";

/** `No`: checked at once; the others are DEFERRABLE, INITIALLY IMMEDIATE or DEFERRED. */
export type Deferrability = "No" | "InitiallyImmediate" | "InitiallyDeferred";

/** An index that no constraint owns. */
export interface Index {
  readonly name?: string;
  readonly unique: boolean;
  readonly nullsNotDistinct: boolean;
  /** btree, hash, gin, gist, brin, spgist, or of an extension. */
  readonly method: string;
  readonly keys: readonly IndexKey[];
  readonly include: readonly string[];
  /** SQL of the condition of a partial index. */
  readonly where?: string;
  /** `false`: left behind by a CONCURRENTLY that did not end. Always `true` in a desired table. */
  readonly valid: boolean;
}

/** One key of an index: a column or an expression. */
export interface IndexKey {
  readonly column?: string;
  /** SQL, without the outer parentheses. */
  readonly expression?: string;
  /** Quoted, with its schema; absent: the default of type and method. */
  readonly opclass?: string;
  /** Quoted, with its schema; absent: the column's own. */
  readonly collation?: string;
  readonly order: "Ascending" | "Descending";
  /** PostgreSQL's default is `Last` for ascending keys and `First` for descending ones. */
  readonly nulls: "First" | "Last";
}

export interface UnmanagedObject {
  readonly kind:
    | "column"
    | "constraint"
    | "exclusion constraint"
    | "index"
    | "trigger"
    | "policy"
    | "statistics"
    | "inheritance";
  readonly name: string;
}

/** A table with nothing in it but its name, to be spread and filled. */
export function emptyTable(schema: string, name: string): Table {
  return { schema, name, columns: [], uniques: [], checks: [], foreignKeys: [], indexes: [], unmanaged: [] };
}

/** The column of that name. */
export function findColumn(table: Table, name: string): Column | undefined {
  return table.columns.find((column) => column.name === name);
}

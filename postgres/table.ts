/**
 * A table: one type for what a spec asks for and for what the catalog holds, so that a plan compares like with like.
 * Names are folded, types are the text that `format_type()` prints with only `pg_catalog` on the search path.
 */
export interface Table {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly Column[];
  readonly primaryKey?: PrimaryKey;
  /** What is neither ours nor named by the spec; no plan touches it. */
  readonly unmanaged: readonly UnmanagedObject[];
}

export interface Column {
  readonly name: string;
  readonly type: string;
  /** Whether NULL is refused; true for every column of the primary key. */
  readonly notNull: boolean;
  /**
   * SQL text of the default. For an observed column it is the text that was declared when the stored expression is still
   * the one that PostgreSQL made of it, else the stored expression.
   */
  readonly default?: string;
}

export interface PrimaryKey {
  /** `undefined` in a desired table: PostgreSQL chooses. */
  readonly name?: string;
  readonly columns: readonly string[];
}

export interface UnmanagedObject {
  readonly kind: "column" | "constraint" | "index" | "trigger";
  readonly name: string;
}

/** The column of that name. */
export function findColumn(table: Table, name: string): Column | undefined {
  return table.columns.find((column) => column.name === name);
}

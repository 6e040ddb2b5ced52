/** What a foreign key refers to, as far as a verdict needs it. */
export interface Target {
  readonly kind: "table" | "partitioned table" | "other";
  /** Type by column, as `printType()` writes it. */
  readonly columns: ReadonlyMap<string, string>;
  /** Sets of columns that a primary key, a unique constraint or a whole unique index holds unique. */
  readonly keys: readonly (readonly string[])[];
  readonly mayReference: boolean;
  /**
   * It belongs to another role and has indexes or statistics whose expressions call functions that are not PostgreSQL's own:
   * whoever merely plans a query on it, as PostgreSQL does to validate a foreign key, runs them.
   */
  readonly runsForeignCode: boolean;
}

/** Targets by `schema.name`; one that does not exist is not in it. */
export type Targets = ReadonlyMap<string, Target>;

/** The key of {@linkcode Targets}. */
export function targetKey(references: { readonly schema: string; readonly table: string }): string {
  return JSON.stringify([references.schema, references.table]);
}

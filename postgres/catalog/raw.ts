/** A relation as the query writes it. Numbers of columns are `attnum`; names say whether they are printed or bare. */
export interface RawRelation {
  readonly oid: number;
  /** Printed. */
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly persistence: string;
  readonly related: boolean;
  readonly rowSecurity: boolean;
  readonly rules: boolean;
  readonly rowEstimate: number | null;
  readonly totalBytes: number | null;
  readonly relationBytes: number | null;
  readonly ownedByRole: boolean;
  readonly replicaIdentity: string;
  /** Printed. */
  readonly indexOf: string | null;
  readonly columns: readonly RawColumn[] | null;
  /** By number. */
  readonly expressions: Readonly<Record<string, string>> | null;
  /** By number; 0 is the table. */
  readonly comments: Readonly<Record<string, string>> | null;
  readonly constraints: readonly RawConstraint[] | null;
  readonly indexes: readonly RawIndex[] | null;
  readonly attachments: readonly (readonly [kind: AttachmentKind, name: string])[] | null;
  readonly users: readonly RawUser[] | null;
}

export type AttachmentKind = "trigger" | "policy" | "statistics" | "inheritance" | "publication";

export interface RawColumn {
  readonly number: number;
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly identity: "" | "a" | "d";
  readonly generated: "" | "s" | "v";
  /** Printed. */
  readonly collation: string | null;
}

export interface RawConstraint {
  readonly oid: number;
  readonly name: string;
  readonly type: string;
  readonly columns: readonly number[] | null;
  readonly validated: boolean;
  readonly enforced: boolean;
  readonly period: boolean;
  readonly deferrable: boolean;
  readonly deferred: boolean;
  readonly index: number;
  readonly expression: string | null;
  readonly noInherit: boolean;
  readonly foreignKey: RawForeignKey | null;
}

export interface RawForeignKey {
  /** `null`: somebody has just dropped it. */
  readonly definition: string | null;
  readonly match: string;
  readonly onDelete: string;
  readonly onUpdate: string;
  readonly deleteColumns: readonly number[] | null;
}

export interface RawIndex {
  readonly oid: number;
  /** Printed. */
  readonly name: string;
  readonly unique: boolean;
  readonly nullsNotDistinct: boolean;
  readonly valid: boolean;
  readonly ready: boolean;
  readonly building: boolean;
  /** Not of a primary key. */
  readonly definition: string | null;
  /** Keys, then included columns; 0 is an expression. */
  readonly columns: readonly number[];
  readonly keyCount: number;
  readonly expressions: readonly string[] | null;
  readonly where: string | null;
}

/** A foreign key of another table; or a column or key that a rule or a function uses, one row each. */
export interface RawUser {
  /** Printed: the other table, or what the rule is of. */
  readonly table: string | null;
  readonly kind: string | null;
  readonly foreignKey: string | null;
  readonly definition: string | null;
  readonly index: number | null;
  readonly rule: string | null;
  /** Printed, with its arguments. */
  readonly function: string | null;
  readonly column: number;
  readonly constraint: number | null;
}

/** Leaves out members without a value: one that is `undefined` is another thing than one that is absent. */
export function definedOf<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined | null> } {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined && value !== null),
  ) as never;
}

/** Names of columns, without those of numbers that no column has: 0 is an expression, or the whole table. */
export function namesOf(numbers: readonly number[] | null, names: ReadonlyMap<number, string>): readonly string[] {
  return (numbers ?? []).flatMap((number) => names.get(number) ?? []);
}

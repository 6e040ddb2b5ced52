/** A relation as the query writes it; what is absent is not there. Numbers of columns are `attnum`. */
export interface RawRelation {
  readonly oid: number;
  /** Printed. */
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly persistence: string;
  readonly isPartition: boolean;
  readonly isTyped: boolean;
  readonly hadChildren: boolean;
  readonly rowSecurity: boolean;
  readonly rules: boolean;
  readonly rowEstimate?: number;
  readonly totalBytes?: number;
  readonly relationBytes?: number;
  readonly ownedByRole: boolean;
  readonly replicaIdentity: string;
  readonly indexOf?: string;
  readonly columns?: readonly RawColumn[];
  /** By number. */
  readonly expressions?: Readonly<Record<string, string>>;
  /** By number; 0 is the table. */
  readonly comments?: Readonly<Record<string, string>>;
  readonly constraints?: readonly RawConstraint[];
  readonly indexes?: readonly RawIndex[];
  readonly triggers?: readonly string[];
  readonly policies?: readonly string[];
  readonly statistics?: readonly string[];
  readonly inheritance?: readonly string[];
  readonly publications?: readonly string[];
  readonly inbound?: readonly RawInboundKey[];
  readonly readers?: readonly RawReader[];
}

export interface RawColumn {
  readonly number: number;
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly identity?: "a" | "d";
  readonly generated?: "s" | "v";
  readonly collation?: string;
}

export interface RawConstraint {
  readonly oid: number;
  readonly name: string;
  readonly type: string;
  readonly columns?: readonly number[];
  readonly validated: boolean;
  readonly enforced: boolean;
  readonly period: boolean;
  readonly deferrable: boolean;
  readonly deferred: boolean;
  readonly index: number;
  readonly expression?: string;
  readonly noInherit: boolean;
  readonly definition?: string;
  readonly match: string;
  readonly onDelete: string;
  readonly onUpdate: string;
  readonly deleteColumns?: readonly number[];
}

export interface RawIndex {
  readonly oid: number;
  /** Printed, with its schema. */
  readonly name: string;
  readonly unique: boolean;
  readonly nullsNotDistinct: boolean;
  readonly valid: boolean;
  readonly ready: boolean;
  readonly building: boolean;
  /** Absent of a primary key. */
  readonly definition?: string;
  /** Keys, then included columns; 0 is an expression. */
  readonly columns: readonly number[];
  readonly keyCount: number;
  readonly expressions?: readonly string[];
  readonly where?: string;
}

export interface RawInboundKey {
  readonly table: string;
  readonly name: string;
  readonly definition: string;
  readonly index: number;
}

/** A row for every column, or constraint, that a rule or a function uses. */
export interface RawReader {
  readonly relation?: string;
  readonly rule?: string;
  readonly kind?: string;
  readonly function?: string;
  readonly column: number;
  readonly constraint?: number;
}

/** Leaves out members without a value: a member that is `undefined` is another thing than one that is absent. */
export function definedOf<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;
}

/** Without those of numbers that no column has: 0 is an expression, or the whole table. */
export function namesOf(
  numbers: readonly number[] | undefined,
  names: ReadonlyMap<number, string>,
): readonly string[] {
  return (numbers ?? []).flatMap((number) => names.get(number) ?? []);
}

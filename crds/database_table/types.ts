import type { Condition, ObjectMeta } from "../meta.ts";

export const GROUP = "kopf.demo";
export const VERSION = "v1";
export const KIND = "DatabaseTable";
export const PLURAL = "databasetables";
/** Held by every object whose table the operator may have to drop. */
export const FINALIZER = "kopf.demo/tablewright";
/** A new value makes the operator read the Secret of the table's server again, now. */
export const RECONNECT_ANNOTATION = "kopf.demo/reconnect";

export const DELETION_POLICIES = ["Delete", "Retain", "Forbid"] as const;
export type DeletionPolicy = (typeof DELETION_POLICIES)[number];

/** What becomes of a table that is there already and that no object owns. */
export const ADOPTION_POLICIES = ["Never", "IfIdentical", "IfCompatible"] as const;
export type AdoptionPolicy = (typeof ADOPTION_POLICIES)[number];

/** Which plans wait until somebody approves them. */
export const APPROVALS = ["Automatic", "Destructive", "Always"] as const;
export type Approval = (typeof APPROVALS)[number];

/** Holds the hash of the plan that may run; whoever sets it needs the RBAC verb `approve`. */
export const APPROVE_ANNOTATION = "kopf.demo/approve-plan";
/** Holds the id of the cluster whose table the object may take; whoever sets it needs the RBAC verb `adopt`. */
export const TAKE_OVER_ANNOTATION = "kopf.demo/take-over";

/** Kinds of change that lose data, or stop the users of a table, and that are refused unless they are named. */
export const ALLOWED_CHANGES = [
  "DropColumn",
  "WidenType",
  "NarrowType",
  "ChangeType",
  "DropConstraint",
  "DropIndex",
  "RewriteTable",
] as const;
export type AllowedChange = (typeof ALLOWED_CHANGES)[number];

export const ONLINE_MODES = ["Prefer", "Require", "Never"] as const;
export type OnlineMode = (typeof ONLINE_MODES)[number];

/** What is done about changes that somebody makes by hand. */
export const DRIFT_ACTIONS = ["Correct", "Report", "Ignore"] as const;
export type DriftAction = (typeof DRIFT_ACTIONS)[number];

/** `Observe`: the plan is reported, and the database never written. */
export const TABLE_MODES = ["Apply", "Observe"] as const;
export type TableMode = (typeof TABLE_MODES)[number];

export const IDENTITIES = ["Always", "ByDefault"] as const;
export type IdentitySpec = (typeof IDENTITIES)[number];

export const REFERENTIAL_ACTIONS = ["NoAction", "Restrict", "Cascade", "SetNull", "SetDefault"] as const;
export type ReferentialActionSpec = (typeof REFERENTIAL_ACTIONS)[number];

/** Not `No`: YAML 1.1 reads that as `false`. */
export const DEFERRABILITIES = ["Never", "InitiallyImmediate", "InitiallyDeferred"] as const;
export type DeferrabilitySpec = (typeof DEFERRABILITIES)[number];

export const SORT_ORDERS = ["Ascending", "Descending"] as const;
export type SortOrder = (typeof SORT_ORDERS)[number];

export const NULLS_ORDERS = ["First", "Last"] as const;
export type NullsOrder = (typeof NULLS_ORDERS)[number];

/** PostgreSQL's own limit on the columns of a table. */
export const MAX_COLUMNS = 1600;
/** PostgreSQL's own limit on the columns of a key or an index. */
export const MAX_KEYS = 32;
/** Entries of each list of constraints or indexes. */
export const MAX_PARTS = 100;
/** Characters of a comment. */
export const MAX_COMMENT = 4096;

/** What may stand as a `default`: a literal that YAML and JSON carry without loss. */
export type LiteralDefault = string | boolean | number | null;

/** One column as the user wrote it; names, types and expressions are still text. */
export interface ColumnSpec {
  /** The property's key: the column's name, unfolded. */
  readonly key: string;
  /** `spec.columns[2].EMAIL`. */
  readonly path: string;
  /** Where a fault of the type belongs: the column's own path in the short form, `….type` in the long form. */
  readonly typePath: string;
  readonly type: string;
  readonly notNull?: boolean;
  readonly default?: LiteralDefault;
  /** SQL, without DEFAULT. */
  readonly defaultExpression?: string;
  /** SQL of a condition, without CHECK. */
  readonly check?: string;
  readonly unique?: boolean;
  readonly references?: ColumnReferenceSpec;
  readonly identity?: IdentitySpec;
  /** SQL of a stored generated column. */
  readonly generatedAs?: string;
  readonly collation?: string;
  /** Empty: no comment. */
  readonly comment?: string;
  readonly renamedFrom?: string;
  /** SQL that makes the new value when the type changes, without USING. */
  readonly using?: string;
}

/** The foreign key of one column. */
export interface ColumnReferenceSpec {
  readonly schema?: string;
  readonly table: string;
  readonly column: string;
  readonly onDelete?: ReferentialActionSpec;
  readonly onUpdate?: ReferentialActionSpec;
}

/** One entry of a list of constraints or indexes. */
export interface PartSpec {
  /** `spec.checks[0]`. */
  readonly path: string;
  /** Absent: PostgreSQL chooses. */
  readonly name?: string;
}

export interface UniqueSpec extends PartSpec {
  readonly columns: readonly string[];
  readonly nullsNotDistinct?: boolean;
}

export interface CheckSpec extends PartSpec {
  readonly expression: string;
}

export interface ForeignKeySpec extends PartSpec {
  readonly columns: readonly string[];
  readonly references: { readonly schema?: string; readonly table: string; readonly columns: readonly string[] };
  readonly onDelete?: ReferentialActionSpec;
  readonly onUpdate?: ReferentialActionSpec;
  readonly deferrable?: DeferrabilitySpec;
}

export interface IndexSpec extends PartSpec {
  readonly columns?: readonly IndexColumnSpec[];
  /** Keys behind the columns. */
  readonly expressions?: readonly string[];
  readonly unique?: boolean;
  readonly method?: string;
  readonly where?: string;
  readonly include?: readonly string[];
}

/** A key of an index; the short form is a name alone. */
export interface IndexColumnSpec {
  /** `spec.indexes[0].columns[1]`. */
  readonly path: string;
  readonly name: string;
  readonly opclass?: string;
  readonly order?: SortOrder;
  readonly nulls?: NullsOrder;
  readonly collation?: string;
}

export interface ChangePolicySpec {
  readonly allow?: readonly AllowedChange[];
  readonly lockTimeoutSeconds?: number;
  readonly statementTimeoutSeconds?: number;
  readonly online?: OnlineMode;
}

export interface DriftSpec {
  readonly action?: DriftAction;
}

/** A Database whose server holds the table. */
export interface DatabaseRefSpec {
  readonly name: string;
  /** Absent: the namespace of the object. */
  readonly namespace?: string;
}

/** A Secret, in the namespace of the object, that says where a server is and who logs in. */
export interface ConnectionSecretRefSpec {
  readonly name: string;
  /** Of a URI; absent: `uri`, or the keys of a Service Binding. */
  readonly key?: string;
}

export interface DatabaseTableSpec {
  readonly tableName: string;
  readonly schema?: string;
  readonly databaseRef?: DatabaseRefSpec;
  readonly connectionSecretRef?: ConnectionSecretRefSpec;
  readonly columns: readonly ColumnSpec[];
  /** One text (`"A, B"`) or a list of names, as written. */
  readonly primaryKey: string | readonly string[];
  readonly uniqueConstraints?: readonly UniqueSpec[];
  readonly checks?: readonly CheckSpec[];
  readonly foreignKeys?: readonly ForeignKeySpec[];
  readonly indexes?: readonly IndexSpec[];
  /** Empty: no comment. */
  readonly comment?: string;
  readonly changePolicy?: ChangePolicySpec;
  readonly drift?: DriftSpec;
  readonly mode?: TableMode;
  /** Hands off. */
  readonly suspend?: boolean;
  readonly deletionPolicy?: DeletionPolicy;
  readonly adoptionPolicy?: AdoptionPolicy;
  readonly approval?: Approval;
}

/** A spec in which every default is explicit. */
export interface DefaultedTableSpec extends DatabaseTableSpec {
  readonly schema: string;
  readonly uniqueConstraints: readonly UniqueSpec[];
  readonly checks: readonly CheckSpec[];
  readonly foreignKeys: readonly ForeignKeySpec[];
  readonly indexes: readonly IndexSpec[];
  readonly changePolicy: Required<ChangePolicySpec>;
  readonly drift: Required<DriftSpec>;
  readonly mode: TableMode;
  readonly suspend: boolean;
  readonly deletionPolicy: DeletionPolicy;
  readonly adoptionPolicy: AdoptionPolicy;
  readonly approval: Approval;
}

/** A plan that has not run, or not to its end. */
export interface PlanStatus {
  /** The first 12 hexadecimal digits of the SHA-256 over all statements, joined by newlines. */
  readonly hash: string;
  readonly statements: readonly StatementStatus[];
  /** Statements that there was no room for; absent: none. */
  readonly omitted?: number;
}

export interface StatementStatus {
  readonly sql: string;
  /** Every table that it locks, ours first; empty for a table that nobody can know yet. */
  readonly lock: string;
  readonly rewrites: boolean;
  readonly destructive: boolean;
}

export interface DatabaseTableStatus {
  readonly observedGeneration?: number;
  readonly message?: string;
  readonly plan?: PlanStatus;
  readonly observed?: ObservedTable;
  readonly applied?: AppliedSpec;
  readonly drift?: readonly DriftEntry[];
  readonly history?: readonly HistoryEntry[];
  readonly conditions?: readonly Condition[];
}

/** The table in PostgreSQL; brought up to date only together with another change of the status. */
export interface ObservedTable {
  readonly oid: number;
  readonly rowEstimate?: number;
  readonly totalBytes: number;
  /** Name of the database. */
  readonly database?: string;
  /** System identifier of the server and oid of the database: what was made there is made again only there. */
  readonly databaseId?: string;
  /** What the spec named: `Database shop/orders`, `Secret shop/elsewhere`; absent: the operator's default database. */
  readonly server?: string;
}

/** The spec that was last reached. */
export interface AppliedSpec {
  /** SHA-256 of the table that the spec describes. */
  readonly hash: string;
  /** RFC 3339, second precision. */
  readonly time: string;
}

/** One part of a table that is not as the applied spec says, in SQL; never a row value. */
export interface DriftEntry {
  readonly kind: DriftKind;
  /** Of an unnamed part its columns. */
  readonly name: string;
  /** Absent: the spec does not name it. */
  readonly expected?: string;
  /** Absent: it is missing. */
  readonly found?: string;
}

export type DriftKind =
  | "Table"
  | "Column"
  | "PrimaryKey"
  | "UniqueConstraint"
  | "Check"
  | "ForeignKey"
  | "Constraint"
  | "Index"
  | "Trigger"
  | "Policy"
  | "Statistics"
  | "Inheritance";

/** What the operator ran at one time. */
export interface HistoryEntry {
  /** RFC 3339, second precision. */
  readonly time: string;
  readonly change: "Created" | "Adopted" | "Altered" | "Corrected";
  /** How many. */
  readonly statements?: number;
  /** Their SQL, cut. */
  readonly sql?: string;
}

/** An object as the API server stores it: the spec is not yet decoded. */
export interface DatabaseTable {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: unknown;
  readonly status?: DatabaseTableStatus;
}

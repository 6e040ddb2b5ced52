import type { Check, Column, ForeignKey, Identity, Index, PrimaryKey, Table, Unique } from "./table.ts";

/** One difference between two tables, as data: it is judged as such, never as SQL text. */
export type SchemaChange =
  /** With everything but foreign keys to other tables: those are changes of their own. */
  | { readonly kind: "CreateTable"; readonly table: Table }
  | { readonly kind: "RenameTable"; readonly from: string; readonly to: string }
  | { readonly kind: "SetTableComment"; readonly comment: string | undefined }
  | ColumnChange
  | ConstraintChange
  | IndexChange;

/** A difference of one column; `column` is its name when the change runs. */
export type ColumnChange =
  | { readonly kind: "RenameColumn"; readonly from: string; readonly to: string }
  | { readonly kind: "AddColumn"; readonly column: Column }
  | { readonly kind: "DropColumn"; readonly column: Column }
  | {
    readonly kind: "ChangeType";
    readonly column: string;
    readonly from: string;
    readonly to: string;
    /** SQL that makes the new value; absent: PostgreSQL's assignment cast. */
    readonly using?: string;
    /** The default before and after, if there is one: it is dropped, and set again behind the new type. */
    readonly default?: string;
    readonly collation?: string;
  }
  | {
    readonly kind: "SetCollation";
    readonly column: string;
    readonly type: string;
    readonly collation: string | undefined;
  }
  | { readonly kind: "SetDefault"; readonly column: string; readonly default: string }
  | { readonly kind: "DropDefault"; readonly column: string }
  | { readonly kind: "SetNotNull"; readonly column: string }
  | { readonly kind: "DropNotNull"; readonly column: string }
  | { readonly kind: "AddIdentity"; readonly column: string; readonly identity: Identity }
  | { readonly kind: "SetIdentity"; readonly column: string; readonly identity: Identity }
  | { readonly kind: "DropIdentity"; readonly column: string }
  /** Before PostgreSQL 17 the column is dropped and added again: all of it can be computed. */
  | { readonly kind: "SetExpression"; readonly column: Column }
  | { readonly kind: "DropExpression"; readonly column: string }
  | { readonly kind: "SetColumnComment"; readonly column: string; readonly comment: string | undefined };

/** A difference of one constraint. */
export type ConstraintChange =
  | { readonly kind: "AddPrimaryKey"; readonly key: PrimaryKey }
  | { readonly kind: "AddUnique"; readonly unique: Unique }
  /**
   * Makes a constraint of a unique index that was built CONCURRENTLY; the index takes the constraint's name. Absent: nobody
   * chose one, and the steps of the plan say it.
   */
  | {
    readonly kind: "AttachIndex";
    readonly index: string;
    readonly name?: string;
    readonly constraint: "primary key" | "unique constraint";
    readonly columns: readonly string[];
  }
  | { readonly kind: "AddCheck"; readonly check: Check }
  | { readonly kind: "AddForeignKey"; readonly foreignKey: ForeignKey }
  | { readonly kind: "ValidateConstraint"; readonly name: string; readonly references?: ForeignKey["references"] }
  | { readonly kind: "AlterDeferrability"; readonly name: string; readonly deferrable: ForeignKey["deferrable"] }
  | { readonly kind: "RenameConstraint"; readonly from: string; readonly to: string }
  | {
    readonly kind: "DropConstraint";
    readonly name: string;
    readonly constraint: "primary key" | "unique constraint" | "check" | "foreign key";
    readonly columns: readonly string[];
    readonly references?: ForeignKey["references"];
  };

/** A difference of one index. */
export type IndexChange =
  | { readonly kind: "CreateIndex"; readonly index: Index }
  | { readonly kind: "RenameIndex"; readonly from: string; readonly to: string }
  /** It is there under that name and invalid: dropped, and built again as what the spec wants. */
  | { readonly kind: "RebuildIndex"; readonly name: string; readonly index: Index }
  | { readonly kind: "DropIndex"; readonly name: string };

export type ChangeKind = SchemaChange["kind"];

import type { LiteralDefault } from "../../../crds/database_table/types.ts";

/** A spec as it is written into a file: exactly the fields of the API. */
export interface TableSpec {
  readonly tableName: string;
  readonly schema?: string;
  readonly comment?: string;
  readonly columns: readonly ColumnEntry[];
  readonly primaryKey: readonly string[];
  readonly uniqueConstraints?: readonly NamedPart[];
  readonly checks?: readonly NamedPart[];
  readonly foreignKeys?: readonly NamedPart[];
  readonly indexes?: readonly NamedPart[];
  readonly adoptionPolicy: "IfIdentical";
  readonly deletionPolicy: "Retain";
}

/** `NAME: type`, or `NAME: {type: …}`. */
export type ColumnEntry = Readonly<Record<string, string | ColumnFields>>;

export interface ColumnFields {
  readonly type: string;
  readonly notNull?: true;
  readonly default?: LiteralDefault;
  readonly defaultExpression?: string;
  readonly identity?: string;
  readonly generatedAs?: string;
  readonly collation?: string;
  readonly comment?: string;
}

/** A constraint or an index, in the fields of the API. */
export type NamedPart = Readonly<Record<string, unknown>> & { readonly name: string };

/** Something of a table that its spec does not say, and why. */
export interface Omission {
  /** `check "positive"`. */
  readonly what: string;
  readonly why: string;
}

/** A spec and what it leaves out. */
export interface PrintedSpec {
  readonly spec: TableSpec;
  readonly omissions: readonly Omission[];
}

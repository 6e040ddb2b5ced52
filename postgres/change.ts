import type { Column, PrimaryKey, Table } from "./table.ts";

/** One difference between two tables, as data: it is judged as such, never as SQL text. */
export type SchemaChange =
  | { readonly kind: "CreateTable"; readonly table: Table }
  | { readonly kind: "RenameTable"; readonly from: string; readonly to: string }
  | { readonly kind: "DropPrimaryKey"; readonly name: string; readonly columns: readonly string[] }
  | { readonly kind: "AddColumn"; readonly column: Column }
  | { readonly kind: "ChangeType"; readonly column: string; readonly from: string; readonly to: string }
  | { readonly kind: "DropDefault"; readonly column: string }
  | { readonly kind: "SetDefault"; readonly column: string; readonly default: string }
  | { readonly kind: "DropNotNull"; readonly column: string }
  | { readonly kind: "SetNotNull"; readonly column: string }
  | { readonly kind: "AddPrimaryKey"; readonly key: PrimaryKey }
  | { readonly kind: "DropColumn"; readonly column: Column };

export type ChangeKind = SchemaChange["kind"];

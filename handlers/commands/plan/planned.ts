import type { FieldError } from "../../../crds/field_error.ts";
import type { ForeignKey } from "../../../postgres/table.ts";
import type { Statement } from "../../../postgres/statement/statement.ts";
import type { ApprovalNeeded } from "../../database_table/verdict/approval.ts";
import type { Manifest } from "./manifests.ts";

/** What applying one object would do. */
export type Outcome =
  /** Nothing is left to do, or the spec keeps the operator from doing it. */
  | { readonly kind: "nothing" }
  | {
    readonly kind: "changes";
    readonly statements: readonly Statement[];
    /** Foreign keys to tables that are not there yet. */
    readonly waiting: readonly ForeignKey[];
    /** Applying it runs nothing before somebody approves it. */
    readonly approval?: Omit<ApprovalNeeded, "kind">;
  }
  | { readonly kind: "refused"; readonly faults: readonly FieldError[] }
  /** One line. */
  | { readonly kind: "unknown"; readonly reason: string };

/** One object of the files and what was found of it. */
export interface PlannedManifest {
  readonly manifest: Pick<Manifest, "source" | "namespace" | "name">;
  /** `schema.table`; absent where the spec names none. */
  readonly table?: string;
  readonly outcome: Outcome;
  /** One line each. */
  readonly notes: readonly string[];
}

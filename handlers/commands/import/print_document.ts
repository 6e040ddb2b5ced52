import { stringify } from "@std/yaml";
import { API_VERSION } from "../plan/manifests.ts";
import { KIND } from "../../../crds/database_table/types.ts";
import type { Omission, PrintedSpec } from "./table_spec.ts";

/** A table of the database and what became of it. */
export type ImportedTable =
  | { readonly kind: "printed"; readonly table: string; readonly name: string; readonly printed: PrintedSpec }
  /** No spec would leave it as it is. */
  | { readonly kind: "unprinted"; readonly table: string; readonly why: readonly string[] };

export interface DocumentOptions {
  /** Absent: the manifest names none. */
  readonly namespace?: string;
}

/** The head of all documents. */
export const PREAMBLE = [
  "# Written by `tablewright import`. Applying it takes the tables over as they are: that needs the RBAC verb adopt on",
  "# databasetables, and the tables must belong to the operator's role. Deleting an object keeps its table (Retain).",
].join("\n");

/** One YAML document, or a comment where there is none. Pure. */
export function printDocument(imported: ImportedTable, { namespace }: DocumentOptions): string {
  switch (imported.kind) {
    case "printed": {
      const { table, name, printed: { spec, omissions } } = imported;
      const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
      const comments = [comment(`table ${table}`), ...omissions.map((each) => comment(`left out: ${describe(each)}`))];
      // Quoted more than needed: what YAML 1.2 leaves bare, kubectl's YAML 1.1 may read as something else.
      const yaml = quoteAmbiguous(
        stringify({ apiVersion: API_VERSION, kind: KIND, metadata, spec }, { lineWidth: -1 }),
      );
      return `---\n${comments.join("\n")}\n${yaml.trimEnd()}`;
    }
    case "unprinted":
      return `---\n${
        [`table ${imported.table} is left out:`, ...imported.why.map((why) => `  ${why}`)].map(comment).join("\n")
      }`;
  }
}

/** `check "positive": it is NOT VALID`. */
export function describe({ what, why }: Omission): string {
  return `${what}: ${why}`;
}

function comment(line: string): string {
  return `# ${line.replaceAll(/[\r\n\u2028\u2029\u0085]+/g, " ")}`;
}

/** Words that YAML 1.1 takes for booleans, as a key or as a value. */
function quoteAmbiguous(yaml: string): string {
  const word = "(y|n|yes|no|on|off)";
  return yaml
    .replaceAll(new RegExp(`^([ -]*)${word}:`, "gim"), "$1'$2':")
    .replaceAll(new RegExp(`^([ -]*|[ -]*\\w+: )${word}$`, "gim"), "$1'$2'");
}

import { type FieldError, formatFieldError } from "../../../crds/field_error.ts";
import type { Relation } from "../../../postgres/catalog/catalog.ts";
import type { LiveJudgement } from "../../database_table/verdict/judge_live.ts";
import { leaveOut } from "./leave_out.ts";
import { printSpec } from "./print_spec.ts";
import type { PrintedSpec } from "./table_spec.ts";
import { wholeTable } from "./whole_table.ts";

/** Judges a spec as if it were applied. */
export type JudgeSpec = (spec: PrintedSpec["spec"]) => Promise<LiveJudgement>;

export type PrintedTable =
  | { readonly kind: "printed"; readonly printed: PrintedSpec }
  | { readonly kind: "unprinted"; readonly why: readonly string[] };

/** Every round leaves something out; a table has fewer parts. */
const MAXIMUM_ROUNDS = 200;

/**
 * Prints a table as a spec, lets it be judged, and leaves out what the judge refuses until nothing is left to do: what is printed
 * is proven to take the table over as it is.
 */
export async function importTable(relation: Relation, judge: JudgeSpec): Promise<PrintedTable> {
  if (relation.kind !== "table") return unprinted([`it is a ${relation.kind}: only ordinary tables are managed`]);
  let printed = printSpec(wholeTable(relation));
  if (printed === undefined) return unprinted(["it has no primary key, and a DatabaseTable must have one"]);
  for (let round = 0; round < MAXIMUM_ROUNDS; round++) {
    const { faults, plan } = await judge(printed.spec);
    const whole = faults.filter((fault) => leaveOut(printed as PrintedSpec, fault) === undefined);
    if (whole.length > 0) return unprinted(whole.map(formatFieldError));
    if (faults.length === 0) {
      const rest = plan?.steps.flatMap(({ statements }) => statements.map(({ sql }) => sql)) ?? [];
      if (rest.length === 0) return { kind: "printed", printed };
      return unprinted(rest.map((sql) => `its spec would still run ${sql}`));
    }
    printed = withoutFaulty(printed, faults);
  }
  return unprinted(["its spec could not be found"]);
}

/** From the last to the first, so that the numbers in the paths before stay true; of one column one fault a round. */
function withoutFaulty(printed: PrintedSpec, faults: readonly FieldError[]): PrintedSpec {
  const [first] = faults;
  return (first === undefined ? undefined : leaveOut(printed, first)) ?? printed;
}

function unprinted(why: readonly string[]): PrintedTable {
  return { kind: "unprinted", why };
}

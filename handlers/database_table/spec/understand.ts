import { decodeTableSpec } from "../../../crds/database_table/decode.ts";
import { defaultTableSpec, type ObjectOrigin } from "../../../crds/database_table/default.ts";
import type { DefaultedTableSpec } from "../../../crds/database_table/types.ts";
import { validateTableSpec } from "../../../crds/database_table/validate.ts";
import type { FieldError } from "../../../crds/field_error.ts";
import { NO_BUDGET, type ParseBudget } from "../../../postgres/text/parse_budget.ts";
import { type DesiredTable, desiredTable } from "./desired.ts";

/** A spec read as far as it goes: with errors, the rest is there to be judged beside them. */
export interface UnderstoodSpec {
  readonly errors: readonly FieldError[];
  readonly spec: DefaultedTableSpec | undefined;
  readonly desired: DesiredTable | undefined;
}

/** Decodes, defaults and validates a spec and turns it into a table. The webhook and the loop both begin here. */
export async function understandSpec(
  raw: unknown,
  origin: ObjectOrigin = "Plain",
  budget: ParseBudget = NO_BUDGET,
): Promise<UnderstoodSpec> {
  const decoded = decodeTableSpec(raw);
  if (decoded.value === undefined) {
    return { errors: decoded.errors, spec: undefined, desired: undefined };
  }
  const spec = defaultTableSpec(decoded.value, origin);
  const desired = await desiredTable(spec, decoded.faultyColumns, budget);
  return {
    errors: [...decoded.errors, ...validateTableSpec(spec), ...desired.errors],
    spec,
    desired,
  };
}

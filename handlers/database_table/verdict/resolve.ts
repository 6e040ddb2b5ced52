import { type FieldError, invalid } from "../../../crds/field_error.ts";
import type { Transaction } from "../../../postgres/session/client.ts";
import { qualifyTypes } from "../../../postgres/resolve/qualify_types.ts";
import { qualifyTypesInExpression } from "../../../postgres/text/parse_expression.ts";
import { printType } from "../../../postgres/text/type_name.ts";
import { resolveTypes } from "../../../postgres/resolve/type_catalog.ts";
import type { DesiredTable } from "../spec/desired.ts";

/** A spec whose types all have their schema, and what is wrong with those that cannot have one. */
export interface ResolvedTable {
  readonly desired: DesiredTable;
  readonly faults: readonly FieldError[];
}

/**
 * Finds the types that are not PostgreSQL's own: an extension's, or the user's own in the schema of the spec. Asked before a
 * plan is made, since it compares types by their full names. No round trip for a spec without such types.
 *
 * @param allowedFunctions `schema.name` of those that the administrator answers for.
 */
export async function resolveTable(
  transaction: Transaction,
  desired: DesiredTable,
  allowedFunctions: ReadonlySet<string>,
): Promise<ResolvedTable> {
  const { table, types } = desired;
  if (table === undefined || types.length === 0) return { desired, faults: [] };
  const rules = { specSchema: table.schema, allowed: allowedFunctions };
  const verdict = await resolveTypes(transaction, types.map(({ type }) => type), rules);
  const faults = types.flatMap(({ path, type }) => {
    const found = verdict.types.get(printType(type));
    return found === undefined || found.ok ? [] : [invalid(path, found.fault)];
  });
  const qualified = await qualifyTypes(table, verdict.schemas);
  const using = await qualifyUsing(desired.using, verdict.schemas);
  return { desired: { ...desired, table: qualified, using }, faults };
}

async function qualifyUsing(
  using: DesiredTable["using"],
  schemas: ReadonlyMap<string, string>,
): Promise<DesiredTable["using"]> {
  const entries = [...using].map(async ([column, text]) =>
    [column, await qualifyTypesInExpression(text, schemas)] as const
  );
  return new Map(await Promise.all(entries));
}

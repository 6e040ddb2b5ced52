import { type FieldError, forbidden, invalid } from "../../crds/field_error.ts";
import { lookUpFunctions } from "../../postgres/function_catalog.ts";
import { judgeFunctions } from "../../postgres/functions.ts";
import type { PlannedTable } from "../../postgres/planning.ts";
import type { Transaction } from "../../postgres/session/client.ts";
import type { Situation } from "../../postgres/situation.ts";
import { type UnsafeType, unsafeTypes } from "../../postgres/type_guard.ts";
import type { DesiredTable } from "./desired.ts";
import { dependentFaults } from "./verify_dependents.ts";

/**
 * What only the live catalog knows of a plan: whether the types and functions that the spec names may be used, and what
 * hangs on columns that go or change. Asked at admission, and again in the transaction that is about to use them.
 */
export async function verifyPlan(
  transaction: Transaction,
  desired: DesiredTable,
  seen: { readonly plan: PlannedTable; readonly situation: Situation },
): Promise<readonly FieldError[]> {
  const [types, functions, dependents] = await Promise.all([
    typeFaults(transaction, desired),
    functionFaults(transaction, desired),
    dependentFaults(transaction, desired, seen),
  ]);
  return [...types, ...functions, ...dependents];
}

async function typeFaults(transaction: Transaction, desired: DesiredTable): Promise<readonly FieldError[]> {
  const columns = desired.table?.columns ?? [];
  return (await unsafeTypes(transaction, columns)).map((each) => typeError(each, desired));
}

function typeError({ column, why }: UnsafeType, desired: DesiredTable): FieldError {
  return forbidden(desired.columnPaths.get(column)?.typePath ?? "spec.columns", why);
}

/** No round trip for a spec without expressions. */
async function functionFaults(transaction: Transaction, desired: DesiredTable): Promise<readonly FieldError[]> {
  const { expressions } = desired;
  const named = expressions.filter(({ names }) => names.functions.length + names.operators.length > 0);
  if (named.length === 0) return [];
  const facts = await lookUpFunctions(transaction, named.map(({ names }) => names));
  return named.flatMap(({ path, names }) =>
    judgeFunctions(names, facts, NOTHING_MORE).faults.map((fault) => invalid(path, fault))
  );
}

/** Functions beside PostgreSQL's own and trusted extensions' need a word of the administrator; there is no flag yet. */
const NOTHING_MORE: ReadonlySet<string> = new Set();

import { type FieldError, invalid } from "../../../crds/field_error.ts";
import type { Verified } from "../../../postgres/apply/apply.ts";
import { lookUpFunctions } from "../../../postgres/resolve/function_catalog.ts";
import { judgeTogether } from "../../../postgres/resolve/functions.ts";
import type { PlannedTable } from "../../../postgres/plan/planning.ts";
import type { Transaction } from "../../../postgres/session/client.ts";
import type { Situation } from "../../../postgres/situation/situation.ts";
import { findColumn } from "../../../postgres/table.ts";
import type { ExpressionNames } from "../../../postgres/text/read_expression.ts";
import type { TypeName } from "../../../postgres/text/type_name.ts";
import type { DesiredTable } from "../spec/desired.ts";
import { resolveTable } from "./resolve.ts";
import { dependentFaults } from "./verify_dependents.ts";
import { nameFaults } from "./verify_names.ts";

/**
 * What only the live catalog knows of a plan: whether the types and functions that the spec names may be used, what
 * hangs on columns that go or change, and which names are taken. Asked at admission, and again in the transaction that is about to use them: what
 * somebody changed meanwhile would run with the operator's rights.
 */
export async function verifyPlan(
  transaction: Transaction,
  desired: DesiredTable,
  seen: { readonly plan: PlannedTable; readonly situation: Situation; readonly allowed: ReadonlySet<string> },
): Promise<Verified<FieldError>> {
  const [{ faults: types }, functions, dependents, names] = await Promise.all([
    resolveTable(transaction, desired, seen.allowed),
    verifyFunctions(transaction, desired, seen.allowed),
    dependentFaults(transaction, desired, seen),
    nameFaults(transaction, desired, seen),
  ]);
  return { faults: [...types, ...functions.faults, ...dependents, ...names], searchPath: functions.searchPath };
}

/** No round trip for a spec whose expressions call nothing. */
async function verifyFunctions(
  transaction: Transaction,
  desired: DesiredTable,
  allowed: ReadonlySet<string>,
): Promise<Verified<FieldError>> {
  const named = desired.expressions.filter(({ names }) => names.functions.length + names.operators.length > 0);
  if (named.length === 0) return { faults: [], searchPath: [] };
  const called = named.map(({ names }) => withColumnTypes(names, desired));
  const facts = await lookUpFunctions(transaction, called);
  const { faults, searchPath } = judgeTogether(called, facts, allowed);
  return {
    faults: named.flatMap(({ path }, index) => (faults[index] ?? []).map((fault) => invalid(path, fault))),
    searchPath,
  };
}

/** An operator on a column means what the type of the column says: citext compares otherwise than text. */
function withColumnTypes(names: ExpressionNames, desired: DesiredTable): ExpressionNames {
  const types = names.columns.flatMap((name) => {
    const type = desired.table === undefined ? undefined : findColumn(desired.table, name)?.type;
    const found = type === undefined ? undefined : ownTypeOf(type);
    return found === undefined ? [] : [found];
  });
  return types.length === 0 ? names : { ...names, types: [...names.types, ...types] };
}

/** The name of a type that `printType()` had to qualify: `"app"."mood"[]`. */
function ownTypeOf(type: string): TypeName | undefined {
  const match = /^"((?:[^"]|"")*)"\."((?:[^"]|"")*)"/.exec(type);
  if (match === null) return undefined;
  const [, schema = "", name = ""] = match.map((part) => part.replaceAll('""', '"'));
  return { schema, name, typmods: [], isArray: type.endsWith("[]") };
}

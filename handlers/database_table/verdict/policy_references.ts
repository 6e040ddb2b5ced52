import { type FieldError, invalid } from "../../../crds/field_error.ts";
import { findColumn, type ForeignKey, type Table } from "../../../postgres/table.ts";
import { type Target, targetKey } from "../../../postgres/catalog/target.ts";
import type { PlannedTable } from "../../../postgres/plan/planning.ts";
import type { PolicyContext } from "./policy_context.ts";

/**
 * Foreign keys that can never be: their target is there and has no such column, no matching type, or no unique key over
 * these columns. A target that is not there yet is waited for.
 */
export function refuseReferences({ desired, plan, situation }: PolicyContext): readonly FieldError[] {
  const { table } = desired;
  if (table === undefined || situation === undefined || situation.kind === "conflict") return [];
  return table.foreignKeys.flatMap((key, index) => {
    const path = `${desired.paths.foreignKeys[index] ?? "spec.foreignKeys"}`;
    const { references } = key;
    const isSelf = references.schema === table.schema && references.table === table.name;
    const fault = isSelf
      ? selfFault(key, table)
      : targetFault(key, table, situation.targets.get(targetKey(references))) ??
        codeFault(key, { plan, target: situation.targets.get(targetKey(references)) });
    return fault === undefined ? [] : [invalid(path, fault)];
  });
}

function selfFault({ references }: ForeignKey, table: Table): string | undefined {
  const missing = references.columns.find((column) => findColumn(table, column) === undefined);
  return missing === undefined ? undefined : `column "${missing}" is not in spec.columns`;
}

function targetFault(key: ForeignKey, table: Table, target: Target | undefined): string | undefined {
  if (target === undefined) return undefined;
  const { references } = key;
  const name = `${references.schema}.${references.table}`;
  if (target.kind === "other") return `${name} is not a table`;
  const missing = references.columns.find((column) => !target.columns.has(column));
  if (missing !== undefined) return `${name} has no column "${missing}"`;
  const wanted = [...references.columns].sort().join("\n");
  if (!target.keys.some((columns) => [...columns].sort().join("\n") === wanted)) {
    return `${name} has no primary key or unique constraint on (${references.columns.join(", ")})`;
  }
  if (!target.mayReference) {
    return `the operator's role may not refer to ${name}: GRANT REFERENCES, SELECT to the role first`;
  }
  return typeFault(key, table, target);
}

/** Only while the plan makes or validates a key to it: what stands is PostgreSQL's business, which asks as the owner. */
function codeFault(
  { references }: ForeignKey,
  { plan, target }: { readonly plan: PlannedTable; readonly target: Target | undefined },
): string | undefined {
  if (target?.runsForeignCode !== true) return undefined;
  const isRun = plan.changes.some((change) => {
    const other = change.kind === "AddForeignKey"
      ? change.foreignKey.references
      : change.kind === "ValidateConstraint"
      ? change.references
      : undefined;
    return other !== undefined && targetKey(other) === targetKey(references);
  });
  const name = `${references.schema}.${references.table}`;
  return isRun
    ? `${name} belongs to another role and has indexes whose functions would run as the operator: ` +
      `let the operator's role own it, or add the foreign key by hand`
    : undefined;
}

/** Types are compared within families: PostgreSQL has an equality operator for each pair of a family. */
function typeFault(key: ForeignKey, table: Table, target: Target): string | undefined {
  const { references } = key;
  for (const [position, column] of key.columns.entries()) {
    const own = findColumn(table, column)?.type;
    const theirs = target.columns.get(references.columns[position] ?? "");
    if (own === undefined || theirs === undefined || familyOf(own) === familyOf(theirs)) continue;
    return `column "${column}" is ${own} and ${references.schema}.${references.table}.${
      references.columns[position]
    } ` +
      `is ${theirs}: they cannot be compared`;
  }
  return undefined;
}

function familyOf(type: string): string {
  const base = type.replace(/\([^)]*\)/, "").replace(/\s+/g, " ").trim();
  if (/^(smallint|integer|bigint|numeric|real|double precision)$/.test(base)) return "number";
  if (/^(text|character varying|character|name)$/.test(base)) return "text";
  if (/^(date|timestamp (with|without) time zone)$/.test(base)) return "time";
  return base;
}

import { createHash } from "node:crypto";
import type { Relation } from "../catalog/catalog.ts";
import type { SchemaChange } from "../change.ts";
import type { PlannedTable } from "../plan/planning.ts";
import { expressionKey, nextExpressions } from "../registry/expressions.ts";
import type { Declared } from "../registry/declared.ts";
import { nextMembers } from "../registry/members.ts";
import { appendHistory, type OwnedTable, type Owner, record } from "../registry/registry.ts";
import type { Transaction } from "../session/client.ts";
import type { Statement } from "../statement/statement.ts";
import type { Step } from "../plan/step.ts";
import type { Index, Table } from "../table.ts";

/** What a step did, between two observations. */
export interface RanStep {
  readonly row: OwnedTable;
  readonly before: Relation | undefined;
  readonly after: Relation;
  readonly plan: PlannedTable;
  readonly step: Step | undefined;
  /** What the history tells before the statements. */
  readonly notes: readonly string[];
}

/**
 * Sends the last statements of a transaction: what the table is now, whose it is, and what ran. The commit goes out right
 * behind them, and tells if one of them failed: nobody waits for their answers.
 *
 * @returns The row as it is from the commit on; it may be left alone.
 */
export function sendRecord(
  transaction: Transaction,
  request: { readonly owner: Owner; readonly specHash: string },
  ran: RanStep,
): Promise<OwnedTable | undefined> {
  const { owner, specHash } = request;
  const { row, before, after, plan, step, notes } = ran;
  const changes = step?.changes ?? [];
  const statements = step?.statements ?? [];
  const history = {
    id: row.id,
    generation: owner.generation,
    planHash: hashStatements(statements),
    statements: [...notes, ...statements.map(({ sql }) => sql)],
  };
  const recorded = record(transaction, {
    owner,
    specHash,
    relation: after,
    members: nextMembers(row.members, before, after),
    expressions: nextExpressions(row.expressions, { before, after, declared: declaredBy(changes, plan) }),
  });
  recorded.catch(() => {});
  if (statements.length > 0) appendHistory(transaction, history).catch(() => {});
  return recorded;
}

/** SQL of expressions as the statements of a step sent it. */
function declaredBy(changes: readonly SchemaChange[], plan: PlannedTable): Declared {
  const named: Record<string, string> = { ...declaredOfRenamed(changes, plan.observed) };
  const newChecks: string[] = [];
  const newIndexes: Index[] = [];
  for (const change of changes) {
    switch (change.kind) {
      case "CreateTable":
        for (const column of change.table.columns) declareColumn(named, column);
        for (const check of change.table.checks) declareCheck(check, named, newChecks);
        break;
      case "AddColumn":
      case "SetExpression":
        declareColumn(named, change.column);
        break;
      case "SetDefault":
        named[expressionKey.default(change.column)] = change.default;
        break;
      case "ChangeType":
        if (change.default !== undefined) named[expressionKey.default(change.column)] = change.default;
        break;
      case "AddCheck":
        declareCheck(change.check, named, newChecks);
        break;
      case "CreateIndex":
        if (change.index.name === undefined) newIndexes.push(change.index);
        else Object.assign(named, declaredOfIndex(change.index, change.index.name));
        break;
      default:
        break;
    }
  }
  return { named, newChecks, newIndexes, dropped: droppedBy(changes), renamed: renamedBy(changes) };
}

function droppedBy(changes: readonly SchemaChange[]): readonly string[] {
  return changes.flatMap((change) =>
    change.kind === "DropConstraint" || change.kind === "DropIndex" || change.kind === "RebuildIndex"
      ? [change.name]
      : []
  );
}

function renamedBy(changes: readonly SchemaChange[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    changes.flatMap((change) =>
      change.kind === "RenameConstraint" || change.kind === "RenameIndex" ? [[change.from, change.to]] : []
    ),
  );
}

/** A renamed column has its new name in every expression: PostgreSQL prints it so, and a spec writes it so. */
function declaredOfRenamed(changes: readonly SchemaChange[], observed: Table | undefined): Declared["named"] {
  if (observed === undefined || !changes.some((change) => change.kind === "RenameColumn")) return {};
  const names = renamedBy(changes);
  const nameNow = (name: string | undefined) => names[name ?? ""] ?? name ?? "";
  const named: Record<string, string> = {};
  for (const column of observed.columns) {
    if (column.generated !== undefined) named[expressionKey.generated(column.name)] = column.generated;
  }
  // What goes must not speak for what takes its name.
  const dropped = new Set(droppedBy(changes));
  const stays = (part: { readonly name?: string }) => !dropped.has(part.name ?? "");
  for (const { name, expression } of observed.checks.filter(stays)) {
    named[expressionKey.check(nameNow(name))] = expression;
  }
  for (const index of observed.indexes.filter(stays)) Object.assign(named, declaredOfIndex(index, nameNow(index.name)));
  return named;
}

function declareColumn(
  named: Record<string, string>,
  column: { readonly name: string; readonly default?: string; readonly generated?: string },
): void {
  if (column.default !== undefined) named[expressionKey.default(column.name)] = column.default;
  if (column.generated !== undefined) named[expressionKey.generated(column.name)] = column.generated;
}

function declareCheck(
  check: { readonly name?: string; readonly expression: string },
  named: Record<string, string>,
  unnamed: string[],
): void {
  if (check.name === undefined) unnamed.push(check.expression);
  else named[expressionKey.check(check.name)] = check.expression;
}

/** The expressions of an index by their keys in the registry. */
export function declaredOfIndex(index: Index, name: string): Readonly<Record<string, string>> {
  const keys = index.keys.flatMap((key, position) =>
    key.expression === undefined ? [] : [[expressionKey.indexKey(name, position + 1), key.expression] as const]
  );
  const where = index.where === undefined ? [] : [[expressionKey.indexWhere(name), index.where] as const];
  return Object.fromEntries([...keys, ...where]);
}

/** First 12 hexadecimal digits of the SHA-256 over the statements, joined by newlines: the name of a plan. */
export function hashStatements(statements: readonly Statement[]): string {
  const text = statements.map((statement) => statement.sql).join("\n");
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

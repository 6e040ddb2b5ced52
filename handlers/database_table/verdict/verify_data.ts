import { type FieldError, invalid } from "../../../crds/field_error.ts";
import type { SchemaChange } from "../../../postgres/change.ts";
import { type DataAnswer, describeAnswer } from "../../../postgres/data/answer.ts";
import type { ProbeMemory } from "../../../postgres/data/memory.ts";
import { askData } from "../../../postgres/data/probe.ts";
import { questionsFor } from "../../../postgres/data/question.ts";
import type { Database } from "../../../postgres/session/client.ts";
import type { Situation } from "../../../postgres/situation/situation.ts";
import type { DesiredTable } from "../spec/desired.ts";
import type { JudgedPlan } from "./judge.ts";

/** What the rows say to a plan. */
export interface DataVerdict {
  readonly faults: readonly FieldError[];
  /** What nobody could tell in time. */
  readonly warnings: readonly string[];
}

export interface DataRequest {
  readonly desired: DesiredTable;
  readonly situation: Situation;
  readonly judged: JudgedPlan;
}

/** Longest that a review waits for its rows to be looked at. */
const DEADLINE_MS = 1_500;

/** Asks the rows about every change that they can make fail. Counts only, never values. */
export async function verifyData(
  database: Database,
  { desired, situation, judged }: DataRequest,
  { memory, signal }: { readonly memory: ProbeMemory; readonly signal: AbortSignal },
): Promise<DataVerdict> {
  if (situation.kind !== "owned" || situation.basis.isEmpty || judged.refused.length > 0) {
    return { faults: [], warnings: [] };
  }
  const questions = questionsFor(judged.plan.changes, situation.basis.table);
  const answers = await askData(database, questions, { deadlineMs: DEADLINE_MS, signal, memory });
  return {
    faults: answers.filter(({ kind }) => kind === "violated")
      .map((answer) => invalid(pathOf(answer.question.change, desired), describeAnswer(answer))),
    warnings: answers.filter(isWorthSaying).map((answer) => `not checked: ${describeAnswer(answer)}`),
  };
}

/** That a foreign key's target is not there yet is said elsewhere. */
function isWorthSaying(answer: DataAnswer): boolean {
  return answer.kind === "unknown" && answer.reason !== "missing";
}

function pathOf(change: SchemaChange, desired: DesiredTable): string {
  const column = (name: string) => desired.columnPaths.get(name);
  const at = (list: readonly string[], part: unknown, parts: readonly unknown[] | undefined) =>
    list[parts?.indexOf(part) ?? -1];
  switch (change.kind) {
    case "SetNotNull":
    case "AddIdentity":
      return column(change.column)?.path ?? "spec.columns";
    case "ChangeType":
      return column(change.column)?.typePath ?? "spec.columns";
    case "AddColumn":
      return column(change.column.name)?.path ?? "spec.columns";
    case "AddPrimaryKey":
      return desired.paths.primaryKey;
    case "AddUnique":
      return at(desired.paths.uniques, change.unique, desired.table?.uniques) ?? "spec.uniqueConstraints";
    case "AddForeignKey":
      return at(desired.paths.foreignKeys, change.foreignKey, desired.table?.foreignKeys) ?? "spec.foreignKeys";
    case "CreateIndex":
    case "RebuildIndex":
      return at(desired.paths.indexes, change.index, desired.table?.indexes) ?? "spec.indexes";
    case "AttachIndex":
      return change.constraint === "primary key" ? desired.paths.primaryKey : "spec.uniqueConstraints";
    default:
      return "spec";
  }
}

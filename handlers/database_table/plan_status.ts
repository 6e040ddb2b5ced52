import type { PlanStatus, StatementStatus } from "../../crds/database_table/types.ts";
import { hashStatements } from "../../postgres/apply/record_step.ts";
import type { PlannedTable } from "../../postgres/plan/planning.ts";
import type { Statement } from "../../postgres/statement/statement.ts";

/** Characters of one statement; a CREATE TABLE of a hundred columns fits. */
const MAX_SQL = 8_192;
/** Characters of all statements: an object must stay far below the 1.5 MB of etcd. */
const MAX_ALL = 65_536;
const MAX_STATEMENTS = 200;

/** The steps of a plan, those that wait for another table behind the others. */
export type PlannedSteps = Pick<PlannedTable, "steps" | "waitingSteps">;

/** All statements of a plan, in the order in which they run. */
export function statementsOfPlan({ steps, waitingSteps }: PlannedSteps): readonly Statement[] {
  return [...steps, ...waitingSteps].flatMap(({ statements }) => statements);
}

/** What `status.plan` says of statements that have yet to run; `undefined` for none. Bounded, but for the hash. */
export async function planStatus(statements: readonly Statement[]): Promise<PlanStatus | undefined> {
  if (statements.length === 0) return undefined;
  const shown: StatementStatus[] = [];
  let length = 0;
  for (const statement of statements.slice(0, MAX_STATEMENTS)) {
    const status = statementStatus(statement);
    length += status.sql.length + status.lock.length;
    if (length > MAX_ALL) break;
    shown.push(status);
  }
  const hash = hashStatements(statements);
  const omitted = statements.length - shown.length;
  return omitted === 0 ? { hash, statements: shown } : { hash, statements: shown, omitted };
}

function statementStatus({ sql, locks, rewrites, destructive }: Statement): StatementStatus {
  return {
    sql: sql.length <= MAX_SQL ? sql : `${sql.slice(0, MAX_SQL - 1)}…`,
    lock: locks.map(({ mode, table }, index) => index === 0 ? mode : `${mode} on ${table}`).join(", "),
    rewrites,
    destructive,
  };
}

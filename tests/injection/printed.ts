import { planAgainst } from "../../postgres/plan/planning.ts";
import type { Statement } from "../../postgres/statement/statement.ts";
import { understandSpec } from "../../handlers/database_table/spec/understand.ts";
import { wantedTable } from "../../handlers/database_table/verdict/judge.ts";
import type { DesiredTable } from "../../handlers/database_table/spec/desired.ts";
import { statementsOfPlan } from "../../handlers/database_table/plan_status.ts";
import { loadParser } from "../../postgres/text/pg_query.ts";
import type { TextField } from "./fields.ts";

/** What decode, parse, plan and print make of one text in one field. */
export type Outcome =
  | { readonly kind: "refused" }
  | { readonly kind: "accepted"; readonly desired: DesiredTable; readonly statements: readonly Statement[] };

/** What a plan may consist of, as PostgreSQL's own grammar calls it. */
const EXPECTED = new Set(["CreateStmt", "AlterTableStmt", "IndexStmt", "CommentStmt", "RenameStmt", "SelectStmt"]);

/** Takes a text through everything that is pure. */
export async function tryText({ fill, before }: TextField, text: string): Promise<Outcome> {
  const { errors, desired } = await understandSpec(fill(text));
  const wanted = desired === undefined ? undefined : wantedTable(desired);
  if (errors.length > 0 || desired === undefined || wanted === undefined) return { kind: "refused" };
  const old = before === undefined ? undefined : (await understandSpec(before)).desired?.table;
  const basis = old === undefined ? undefined : {
    table: old,
    version: 18,
    isEmpty: true,
    helpers: [],
    columnNumbers: new Map(),
    takenNames: new Set<string>(),
  };
  const plan = await planAgainst(wanted, basis, { targets: undefined, version: 18 });
  return { kind: "accepted", desired, statements: statementsOfPlan(plan) };
}

/** Why a printed statement is not one statement of an expected kind; `undefined` if it is. */
export async function statementFault({ sql }: Statement): Promise<string | undefined> {
  if (sql.includes("\0")) return "it holds a NUL";
  try {
    const { stmts } = (await loadParser())(sql) as { stmts: readonly { stmt: Readonly<Record<string, unknown>> }[] };
    const kinds = stmts.flatMap(({ stmt }) => Object.keys(stmt));
    return kinds.length === 1 && EXPECTED.has(kinds[0] ?? "") ? undefined : `it is ${kinds.join(" and ")}`;
  } catch (error) {
    return `it does not parse: ${error}`;
  }
}

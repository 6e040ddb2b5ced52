import type { UnknownReason } from "./answer.ts";
import type { ColumnFacts, TableFacts } from "./facts.ts";
import type { DataQuestion } from "./question.ts";
import type { PostgresError } from "../session/errors.ts";
import { conditionName } from "../session/sqlstate.ts";

/** Why a question gets no answer. */
export interface Obstacle {
  readonly reason: UnknownReason;
  readonly why: string;
}

/** A question whose references name columns: none means the target's primary key. */
export function preparedQuestion(question: DataQuestion, target: TableFacts | undefined): DataQuestion {
  if (question.kind !== "orphans" || question.references.columns.length > 0) return question;
  return { ...question, references: { ...question.references, columns: target?.primaryKey ?? [] } };
}

/** Why the question must not be put; `undefined`: it may. */
export function obstacleFor(
  question: DataQuestion,
  known: { readonly facts: TableFacts | undefined; readonly target: TableFacts | undefined },
): Obstacle | undefined {
  const { facts, target } = known;
  const { schema, name } = question.table;
  const own = tableObstacle(`${schema}.${name}`, facts);
  if (own !== undefined || facts === undefined) return own;
  if (!facts.isOwned) return { reason: "privilege", why: `another role owns ${schema}.${name}` };
  const columns = question.kind === "rows" ? [] : "column" in question ? [question.column] : question.columns;
  for (const { name: column } of columns) {
    const found = columnObstacle(column, facts);
    if (found !== undefined) return found;
  }
  return question.kind === "orphans" ? targetObstacle(question, facts, target) : undefined;
}

function tableObstacle(name: string, facts: TableFacts | undefined): Obstacle | undefined {
  if (facts === undefined) return { reason: "missing", why: `${name} does not exist` };
  if (!facts.isOrdinary) return { reason: "unsafe", why: `${name} is not an ordinary table` };
  return facts.hasRowSecurity ? { reason: "privilege", why: `row security hides rows of ${name}` } : undefined;
}

function columnObstacle(name: string, facts: TableFacts): Obstacle | undefined {
  const column = facts.columns.get(name);
  if (column === undefined) return { reason: "missing", why: `the column ${name} does not exist` };
  return column.isVirtual ? { reason: "unsafe", why: `${name} is computed when it is read` } : undefined;
}

function targetObstacle(
  question: DataQuestion & { readonly kind: "orphans" },
  facts: TableFacts,
  target: TableFacts | undefined,
): Obstacle | undefined {
  const { references, columns } = question;
  const name = `${references.schema}.${references.table}`;
  const found = tableObstacle(name, target);
  if (found !== undefined || target === undefined) return found;
  if (!target.isOwned && target.hasExpressions) {
    return { reason: "unsafe", why: `${name} belongs to another role and has indexes that run its functions` };
  }
  if (references.columns.length !== columns.length) {
    return { reason: "missing", why: `${name} has no key of ${columns.length} columns` };
  }
  for (const [position, column] of columns.entries()) {
    const theirs = references.columns[position] ?? "";
    const missing = columnObstacle(theirs, target);
    if (missing !== undefined) return missing;
    if (!compareAlike(facts.columns.get(column.name), target.columns.get(theirs))) {
      return {
        reason: "unsafe",
        why: `the types of ${column.shown} and of ${theirs} in ${name} are compared by their own rules`,
      };
    }
  }
  return undefined;
}

const COMPARABLE: readonly (readonly string[])[] = [["int2", "int4", "int8"], ["text", "varchar"]];

/**
 * Whether `=` of PostgreSQL compares two types as a foreign key will. Types of extensions bring their own operators (citext
 * would be compared by case), and two different types may be converted otherwise (`text` and `char(n)`).
 */
function compareAlike(one: ColumnFacts | undefined, other: ColumnFacts | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  const isSame = one.type === other.type && one.typeSchema === other.typeSchema;
  if (isSame && one.typeKind === "e") return true;
  if (one.typeSchema !== "pg_catalog" || other.typeSchema !== "pg_catalog") return false;
  return isSame || COMPARABLE.some((family) => family.includes(one.type) && family.includes(other.type));
}

/** The obstacle that an error of the server or of the way to it is. */
export function whyOf(error: PostgresError): Obstacle {
  switch (error.sqlstate) {
    case "55P03":
      return { reason: "locked", why: "a table is locked by another session" };
    case "57014":
      return { reason: "timeout", why: "looking at the rows takes too long" };
    case "42501":
      return { reason: "privilege", why: "the operator's role may not read the rows" };
    case undefined:
      return { reason: "failure", why: "the database cannot be asked now" };
    default: {
      const name = conditionName(error.sqlstate);
      const state = `SQLSTATE ${error.sqlstate}`;
      return { reason: "failure", why: name === undefined ? `PostgreSQL refused (${state})` : `${name} (${state})` };
    }
  }
}

/** The time is over before anything was asked. */
export function timeObstacle(why: string): Obstacle {
  return { reason: "timeout", why };
}

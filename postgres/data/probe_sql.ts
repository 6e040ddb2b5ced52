import { MAXIMUM_COUNT } from "./answer.ts";
import type { ValueLimit } from "./limit.ts";
import type { DataQuestion, QuestionColumn } from "./question.ts";
import { qualifiedName, quoteIdentifier, quoteLiteral } from "../text/identifier.ts";

/** What decides how a question is put. */
export interface ProbeContext {
  /** `Sample`: about one block in a hundred. */
  readonly scope: "All" | "Sample";
  /** Columns of a composite type: `IS NULL` is true there for a value whose fields are all NULL. */
  readonly composite: ReadonlySet<string>;
}

/** The answer to {@linkcode probeSql}. */
export interface ProbeRow {
  /** int8. */
  readonly found: string;
  readonly longest: number | null;
}

/**
 * One SELECT that counts what violates the question, up to one more than is ever shown. No value leaves the server, and
 * nothing is run but operators and functions of PostgreSQL itself that cannot fail on any value.
 */
export function probeSql(question: DataQuestion, context: ProbeContext): string {
  const { schema, name } = question.table;
  const sample = context.scope === "Sample" ? " TABLESAMPLE SYSTEM (1)" : "";
  const from = `FROM ONLY ${qualifiedName(schema, name)} AS c${sample}`;
  switch (question.kind) {
    case "nulls":
      return count(`SELECT ${from} WHERE ${isNull(question.column, context)}`);
    case "duplicates":
      return count(`SELECT ${from}${duplicatesTail(question, context)}`);
    case "orphans":
      return count(`SELECT ${from} WHERE ${orphanCondition(question, context)}`);
    case "misfits":
      return misfitsSql(from, columnOf(question.column), question.limit);
    case "rows":
      return count(`SELECT ${from}${question.ownType === undefined ? "" : ` WHERE ${hasNoDefault(question.ownType)}`}`);
  }
}

function count(rows: string): string {
  return `SELECT count(*) AS found, NULL::integer AS longest FROM (${rows} LIMIT ${MAXIMUM_COUNT + 1}) AS s`;
}

function columnOf(column: QuestionColumn): string {
  return `c.${quoteIdentifier(column.name)}`;
}

function isNull(column: QuestionColumn, { composite }: ProbeContext): string {
  // An index serves IS NULL, not num_nulls().
  return composite.has(column.name) ? `num_nulls(${columnOf(column)}) > 0` : `${columnOf(column)} IS NULL`;
}

function isNotNull(column: QuestionColumn, { composite }: ProbeContext): string {
  return composite.has(column.name) ? `num_nulls(${columnOf(column)}) = 0` : `${columnOf(column)} IS NOT NULL`;
}

function duplicatesTail(question: DataQuestion & { readonly kind: "duplicates" }, context: ProbeContext): string {
  const columns = question.columns.map(columnOf).join(", ");
  const present = question.columns.map((column) => isNotNull(column, context)).join(" AND ");
  return `${question.nullsNotDistinct ? "" : ` WHERE ${present}`} GROUP BY ${columns} HAVING count(*) > 1`;
}

function orphanCondition(question: DataQuestion & { readonly kind: "orphans" }, context: ProbeContext): string {
  const { columns, references } = question;
  const present = columns.map((column) => isNotNull(column, context));
  const equal = columns.map((column, position) =>
    `p.${quoteIdentifier(references.columns[position] ?? "")} OPERATOR(pg_catalog.=) ${columnOf(column)}`
  );
  const target = qualifiedName(references.schema, references.table);
  return `${present.join(" AND ")} AND NOT EXISTS (SELECT FROM ONLY ${target} AS p WHERE ${equal.join(" AND ")})`;
}

function misfitsSql(from: string, column: string, limit: ValueLimit): string {
  switch (limit.kind) {
    case "characters":
      // The number of bytes is known without reading a value that is stored out of line.
      return longest(
        `SELECT char_length(rtrim(${column}, ' ')) AS n ${from} WHERE octet_length(${column}) > ${limit.maximum}`,
        limit.maximum,
      );
    case "bits":
      return longest(`SELECT bit_length(${column}) AS n ${from}`, limit.maximum);
    default:
      return count(`SELECT ${from} WHERE ${misfitCondition(column, limit)}`);
  }
}

function longest(lengths: string, maximum: number): string {
  return `SELECT count(*) AS found, max(n)::integer AS longest FROM (${lengths}) AS s WHERE n > ${maximum}`;
}

type CountedLimit = Exclude<ValueLimit, { readonly kind: "characters" | "bits" }>;

/** Compares in the old type; `numeric` holds every integer. NaN is greater than all other numbers. */
function misfitCondition(column: string, limit: CountedLimit): string {
  switch (limit.kind) {
    case "exactBits":
      return `bit_length(${column}) <> ${limit.length}`;
    case "integer": {
      const value = limit.from === "numeric" ? `round(${column})` : column;
      return `${value} NOT BETWEEN ${limit.minimum} AND ${limit.maximum}`;
    }
    case "numeric": {
      const value = limit.from === "numeric" ? column : `${column}::numeric`;
      const bound = `CAST(${quoteLiteral(`1e${limit.precision - limit.scale}`)} AS numeric)`;
      // NaN fits every numeric.
      return `${value} <> CAST('NaN' AS numeric) AND abs(round(${value}, ${limit.scale})) >= ${bound}`;
    }
    case "real":
      // Halfway beyond the greatest real, and halfway below the least one: both round to what the cast refuses.
      return `abs(${column}) BETWEEN 3.4028235677973366e38::float8 AND 1.7976931348623157e308::float8 ` +
        `OR ${column} <> 0 AND abs(${column}) <= 7.006492321624085e-46::float8`;
  }
}

function hasNoDefault(type: string): string {
  return `NOT EXISTS (SELECT FROM pg_catalog.pg_type WHERE oid = to_regtype(${quoteLiteral(type)}) ` +
    `AND typdefault IS NOT NULL)`;
}

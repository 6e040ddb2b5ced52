import { compact } from "../../../crds/decode_fields.ts";
import type { Column, Table } from "../../../postgres/table.ts";
import { printName, printQualified } from "./print_name.ts";
import type { ColumnEntry, ColumnFields } from "./table_spec.ts";

/** A column in the short form where the type says all of it. Pure. */
export function printColumn(column: Column, { primaryKey }: Table): ColumnEntry {
  const isKeyed = primaryKey?.columns.includes(column.name) === true;
  const fields: ColumnFields = compact({
    type: column.type,
    // The key and the identity say it already.
    notNull: column.notNull && !isKeyed && column.identity === undefined ? true as const : undefined,
    ...printDefault(column.default),
    identity: column.identity,
    generatedAs: column.generated,
    collation: column.collation === undefined ? undefined : printQualified(column.collation),
    comment: column.comment,
  });
  const isShort = Object.keys(fields).length === 1;
  return entryOf(printName(column.name), isShort ? column.type : fields);
}

/** An own property also for `__proto__`. */
function entryOf(key: string, value: string | ColumnFields): ColumnEntry {
  return Object.fromEntries([[key, value]]);
}

const TEXT = /^'((?:[^'\\]|'')*)'(?:::[^']+)?$/;

/** PostgreSQL stores a literal with its type behind it. */
function printDefault(sql: string | undefined): Pick<ColumnFields, "default" | "defaultExpression"> {
  if (sql === undefined) return {};
  if (sql === "true" || sql === "false") return { default: sql === "true" };
  if (/^\d+$/.test(sql) && Number.isSafeInteger(Number(sql))) return { default: Number(sql) };
  const text = TEXT.exec(sql)?.[1];
  return text === undefined ? { defaultExpression: sql } : { default: text.replaceAll("''", "'") };
}

import { compact } from "../../../crds/decode_fields.ts";
import { indexMethod } from "../../../postgres/resolve/index_method.ts";
import type { Check, ForeignKey, Index, IndexKey, Unique } from "../../../postgres/table.ts";
import { printName, printQualified } from "./print_name.ts";
import type { NamedPart, Omission } from "./table_spec.ts";

/** A part as the spec says it, or why it cannot. */
export type PrintedPart =
  | { readonly ok: true; readonly part: NamedPart }
  | { readonly ok: false; readonly omission: Omission };

/** `uniqueConstraints[]`. */
export function printUnique({ name = "", columns, nullsNotDistinct }: Unique): PrintedPart {
  return printed({
    name: printName(name),
    columns: columns.map(printName),
    nullsNotDistinct: nullsNotDistinct ? true : undefined,
  });
}

/** `checks[]`. */
export function printCheck({ name = "", expression, validated }: Check): PrintedPart {
  if (!validated) return omitted(`check "${name}"`, NOT_VALID);
  return printed({ name: printName(name), expression });
}

/** `foreignKeys[]`. */
export function printForeignKey(key: ForeignKey): PrintedPart {
  const { name = "", columns, references, onDelete, onUpdate, deferrable, validated } = key;
  if (!validated) return omitted(`foreign key "${name}"`, NOT_VALID);
  return printed({
    name: printName(name),
    columns: columns.map(printName),
    references: {
      schema: printName(references.schema),
      table: printName(references.table),
      columns: references.columns.map(printName),
    },
    onDelete: onDelete === "NoAction" ? undefined : onDelete,
    onUpdate: onUpdate === "NoAction" ? undefined : onUpdate,
    deferrable: deferrable === "No" ? undefined : deferrable,
  });
}

/** `indexes[]`. */
export function printIndex(index: Index): PrintedPart {
  const { name = "", method, keys, include, where } = index;
  const why = whyUnsaid(index);
  if (why !== undefined) return omitted(`index "${name}"`, why);
  const columns = keys.flatMap((key) => key.column === undefined ? [] : printKey(key, key.column, method));
  const expressions = keys.flatMap(({ expression }) => expression ?? []);
  return printed({
    name: printName(name),
    columns: columns.length === 0 ? undefined : columns,
    expressions: expressions.length === 0 ? undefined : expressions,
    unique: index.unique ? true : undefined,
    method: method === "btree" ? undefined : printName(method),
    where,
    include: include.length === 0 ? undefined : include.map(printName),
  });
}

const NOT_VALID = "it is NOT VALID: VALIDATE CONSTRAINT first";

function whyUnsaid({ keys, valid, unique, nullsNotDistinct }: Index): string | undefined {
  if (!valid) return "it is not valid: REINDEX or drop it first";
  if (unique && nullsNotDistinct) return "a spec has NULLS NOT DISTINCT for unique constraints only";
  const firstExpression = keys.findIndex(({ expression }) => expression !== undefined);
  if (firstExpression === -1) return undefined;
  if (keys.slice(firstExpression).some(({ column }) => column !== undefined)) {
    return "a column stands behind an expression, and a spec has the columns first";
  }
  return keys.slice(firstExpression).every(isPlainKey)
    ? undefined
    : "an expression has an operator class, a collation or an order, which a spec gives to columns only";
}

function isPlainKey({ opclass, collation, order, nulls }: IndexKey): boolean {
  return opclass === undefined && collation === undefined && order === "Ascending" && nulls === "Last";
}

function printKey(key: IndexKey, column: string, method: string): string | Readonly<Record<string, unknown>> {
  const { opclass, collation, order, nulls } = key;
  const usual = order === "Ascending" ? "Last" : "First";
  const { canOrder } = indexMethod(method);
  const fields = compact({
    name: printName(column),
    opclass: opclass === undefined ? undefined : printQualified(opclass),
    order: canOrder && order === "Descending" ? order : undefined,
    nulls: canOrder && nulls !== usual ? nulls : undefined,
    collation: collation === undefined ? undefined : printQualified(collation),
  });
  return Object.keys(fields).length === 1 ? printName(column) : fields;
}

function printed(part: Readonly<Record<string, unknown>> & { readonly name: string }): PrintedPart {
  return { ok: true, part: compact(part) as NamedPart };
}

function omitted(what: string, why: string): PrintedPart {
  return { ok: false, omission: { what, why } };
}

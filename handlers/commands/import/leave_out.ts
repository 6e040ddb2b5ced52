import type { FieldError } from "../../../crds/field_error.ts";
import type { ColumnEntry, ColumnFields, NamedPart, Omission, PrintedSpec, TableSpec } from "./table_spec.ts";

const LISTS = ["uniqueConstraints", "checks", "foreignKeys", "indexes"] as const;
const NOUN: Readonly<Record<(typeof LISTS)[number], string>> = {
  uniqueConstraints: "unique constraint",
  checks: "check",
  foreignKeys: "foreign key",
  indexes: "index",
};
const VALUES = ["default", "defaultExpression", "identity", "generatedAs"];

/**
 * The spec without what a fault is about; what an adopting spec leaves out of a column or a table is left alone. Pure.
 *
 * @returns `undefined` if the fault is about the table as a whole.
 */
export function leaveOut(printed: PrintedSpec, fault: FieldError): PrintedSpec | undefined {
  const { path, detail } = fault;
  const part = /^spec\.(uniqueConstraints|checks|foreignKeys|indexes)\[(\d+)\]/.exec(path);
  if (part !== null) {
    const [, list = "", index = ""] = part;
    const known = LISTS.find((each) => each === list);
    return known === undefined ? undefined : withoutPart(printed, { list: known, index: Number(index), why: detail });
  }
  const column = /^spec\.columns\[(\d+)\]/.exec(path);
  if (column !== null) return withoutColumnField(printed, { index: Number(column[1]), path, why: detail });
  if (path !== "spec.comment") return undefined;
  const { comment: _, ...spec } = printed.spec;
  return { spec, omissions: [...printed.omissions, { what: "the comment", why: detail }] };
}

function withoutPart(
  { spec, omissions }: PrintedSpec,
  { list, index, why }: { readonly list: (typeof LISTS)[number]; readonly index: number; readonly why: string },
): PrintedSpec {
  const parts = spec[list] ?? [];
  const rest = parts.filter((_, position) => position !== index);
  const { [list]: _, ...others } = spec;
  return {
    spec: rest.length === 0 ? others : { ...others, [list]: rest },
    omissions: [...omissions, { what: `${NOUN[list]} ${parts[index]?.name ?? ""}`, why }],
  };
}

interface FaultyColumn {
  readonly index: number;
  readonly path: string;
  readonly why: string;
}

/** First a literal becomes the expression that it is, then the field goes, then all but the type, at last the column. */
function withoutColumnField(printed: PrintedSpec, { index, path, why }: FaultyColumn): PrintedSpec | undefined {
  const { spec, omissions } = printed;
  const [name, value] = Object.entries(spec.columns[index] ?? {})[0] ?? [];
  if (name === undefined || value === undefined) return undefined;
  if (typeof value === "string" || path.endsWith(".type")) return withoutColumn(printed, { index, name, why });
  const named = Object.keys(value).find((field) => field !== "type" && path.endsWith(`.${field}`));
  const fields = named === undefined ? Object.keys(value).filter((field) => field !== "type") : [named];
  const rest = Object.fromEntries(Object.entries(value).filter(([field]) => !fields.includes(field))) as unknown;
  const omission = omissionOf(name, fields, why);
  return {
    spec: { ...spec, columns: replaced(spec.columns, index, shortened(name, rest as ColumnFields)) },
    omissions: [...omissions, omission],
  };
}

function omissionOf(column: string, fields: readonly string[], why: string): Omission {
  const what = fields.map((field) => VALUES.includes(field) ? "default" : field).join(", ");
  return { what: `${what} of column ${column}`, why };
}

function shortened(name: string, fields: ColumnFields): ColumnEntry {
  return Object.fromEntries([[name, Object.keys(fields).length === 1 ? fields.type : fields]]);
}

function replaced(columns: TableSpec["columns"], index: number, entry: ColumnEntry): TableSpec["columns"] {
  return columns.map((column, position) => position === index ? entry : column);
}

/** With everything that needs it. */
function withoutColumn(
  { spec, omissions }: PrintedSpec,
  { index, name, why }: { readonly index: number; readonly name: string; readonly why: string },
): PrintedSpec | undefined {
  if (spec.primaryKey.includes(name)) return undefined;
  const needsIt = ({ columns, include }: NamedPart) =>
    [columns, include].some((list) => Array.isArray(list) && list.some((each) => nameOf(each) === name));
  const needing = LISTS.flatMap((list) => (spec[list] ?? []).map((part, at) => ({ list, part, at })))
    .filter(({ part }) => needsIt(part)).toReversed();
  const without: PrintedSpec = {
    spec: { ...spec, columns: spec.columns.filter((_, position) => position !== index) },
    omissions: [...omissions, { what: `column ${name}`, why }],
  };
  return needing.reduce(
    (printed, { list, at }) => withoutPart(printed, { list, index: at, why: `it needs the column ${name}` }),
    without,
  );
}

function nameOf(key: unknown): unknown {
  return typeof key === "object" && key !== null && "name" in key ? key.name : key;
}

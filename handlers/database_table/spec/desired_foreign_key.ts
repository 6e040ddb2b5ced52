import { compact } from "../../../crds/decode_fields.ts";
import type {
  ColumnReferenceSpec,
  DefaultedTableSpec,
  DeferrabilitySpec,
  ForeignKeySpec,
} from "../../../crds/database_table/types.ts";
import { type FieldError, invalid } from "../../../crds/field_error.ts";
import type { Deferrability, ForeignKey, ReferentialAction } from "../../../postgres/table.ts";
import type { DesiredPart, PartContext } from "./desired_constraint.ts";
import { readColumnNames, readName, readNames, readPartName, readSchema, unknownColumn } from "./desired_name.ts";

const DEFERRABLE: Readonly<Record<DeferrabilitySpec, Deferrability>> = {
  Never: "No",
  InitiallyImmediate: "InitiallyImmediate",
  InitiallyDeferred: "InitiallyDeferred",
};

/** The foreign keys of single columns, then those of the list. */
export function readForeignKeys(spec: DefaultedTableSpec, context: PartContext): readonly DesiredPart<ForeignKey>[] {
  const ofColumns = context.columns.named.flatMap(({ name, spec: { references, path } }) =>
    references === undefined ? [] : readReference(name, { references, path: `${path}.references` }, context) ?? []
  );
  const ofList = spec.foreignKeys.flatMap((key) => readForeignKey(key, context) ?? []);
  const keys = [...ofColumns, ...ofList];
  for (const key of keys) checkActions(key, context);
  return keys;
}

function readReference(
  column: string,
  place: { readonly references: ColumnReferenceSpec; readonly path: string },
  context: PartContext,
): DesiredPart<ForeignKey> | undefined {
  const { references, path } = place;
  const table = readTable(references, path, context);
  const target = readName(references.column, `${path}.column`, context.errors);
  if (table === undefined || target === undefined) return undefined;
  return {
    path,
    part: {
      columns: [column],
      references: { ...table, columns: [target] },
      onDelete: references.onDelete ?? "NoAction",
      onUpdate: references.onUpdate ?? "NoAction",
      deferrable: "No",
      validated: true,
    },
  };
}

function readForeignKey(spec: ForeignKeySpec, context: PartContext): DesiredPart<ForeignKey> | undefined {
  const { path, references } = spec;
  const name = readPartName(spec.name, `${path}.name`, context.errors);
  const columns = readColumnNames(spec.columns, `${path}.columns`, context);
  const table = readTable(references, `${path}.references`, context);
  const targets = readNames(references.columns, `${path}.references.columns`, context.errors);
  if (columns === undefined || table === undefined || targets === undefined) return undefined;
  return {
    path,
    part: compact({
      name,
      columns,
      references: { ...table, columns: targets },
      onDelete: spec.onDelete ?? "NoAction",
      onUpdate: spec.onUpdate ?? "NoAction",
      deferrable: DEFERRABLE[spec.deferrable ?? "Never"],
      validated: true,
    }),
  };
}

/** The table that is referred to, by default in the schema of this one. */
function readTable(
  references: { readonly schema?: string; readonly table: string },
  path: string,
  { schema, errors }: PartContext,
): { readonly schema: string; readonly table: string } | undefined {
  const table = readName(references.table, `${path}.table`, errors);
  const own = references.schema === undefined ? schema : readSchema(references.schema, `${path}.schema`, errors);
  return table === undefined || own === undefined ? undefined : { schema: own, table };
}

/** What a table refers to in itself is known without looking. */
export function checkSelfReferences(
  keys: readonly DesiredPart<ForeignKey>[],
  targets: readonly (readonly string[])[],
  { schema, table, columns, errors }: PartContext,
): void {
  const unique = new Set(targets.map(asSet));
  for (const { part: { references }, path } of keys) {
    if (references.schema !== schema || references.table !== table) continue;
    const unknown = references.columns.filter((column) => !columns.has(column));
    for (const column of unknown) errors.push(unknownColumn(path, column));
    if (unknown.length === 0 && !unique.has(asSet(references.columns))) {
      const names = references.columns.map((column) => `"${column}"`).join(", ");
      errors.push(invalid(path, `must refer to the primary key or to unique columns: ${names} are neither`));
    }
  }
}

function asSet(columns: readonly string[]): string {
  return JSON.stringify([...columns].sort());
}

const WRITES_ON_DELETE: readonly ReferentialAction[] = ["SetNull", "SetDefault"];
const WRITES_ON_UPDATE: readonly ReferentialAction[] = ["Cascade", ...WRITES_ON_DELETE];

/** Nothing but its expression can write a generated column. */
function checkActions({ part, path }: DesiredPart<ForeignKey>, { columns, errors }: PartContext): void {
  const generated = part.columns.find((column) => columns.isGenerated(column));
  if (generated === undefined) return;
  const fault = (field: string): FieldError =>
    invalid(`${path}.${field}`, `cannot write the generated column "${generated}": choose NoAction or Restrict`);
  if (WRITES_ON_DELETE.includes(part.onDelete)) errors.push(fault("onDelete"));
  if (WRITES_ON_UPDATE.includes(part.onUpdate)) errors.push(fault("onUpdate"));
}

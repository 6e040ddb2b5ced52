import { definedOf, namesOf, type RawConstraint, type RawInboundKey, type RawIndex } from "./catalog_raw.ts";
import type { CatalogConstraint, CatalogReference, ConstraintKind, InboundKey } from "./relation.ts";
import type { ReferentialAction } from "./table.ts";
import { PRINTED_IDENTIFIER, PRINTED_NAME, readIdentifier, readQualifiedName } from "./text/printed_name.ts";

const CONSTRAINT_KINDS: Readonly<Record<string, ConstraintKind>> = {
  p: "primary key",
  u: "unique",
  c: "check",
  f: "foreign key",
  x: "exclusion",
  t: "constraint trigger",
};

const ACTIONS: Readonly<Record<string, ReferentialAction>> = {
  a: "NoAction",
  r: "Restrict",
  c: "Cascade",
  n: "SetNull",
  d: "SetDefault",
};

const MATCHES: Readonly<Record<string, CatalogReference["match"]>> = { s: "Simple", f: "Full", p: "Partial" };
/** A constraint, with what the index behind it knows. */
export function readConstraint(
  raw: RawConstraint,
  names: ReadonlyMap<number, string>,
  indexes: readonly RawIndex[],
): CatalogConstraint {
  const kind = CONSTRAINT_KINDS[raw.type] ?? "constraint trigger";
  const index = "pux".includes(raw.type) ? indexes.find(({ oid }) => oid === raw.index) : undefined;
  const include = index?.columns.slice(index.keyCount);
  return {
    oid: raw.oid,
    name: raw.name,
    kind,
    columns: namesOf(raw.columns, names),
    validated: raw.validated,
    enforced: raw.enforced,
    deferrable: !raw.deferrable ? "No" : raw.deferred ? "InitiallyDeferred" : "InitiallyImmediate",
    ...definedOf({
      expression: raw.expression,
      noInherit: kind === "check" && raw.noInherit ? true as const : undefined,
      references: readReference(raw, names),
      index: index === undefined ? undefined : readQualifiedName(index.name).name,
      include: include === undefined || include.length === 0 ? undefined : namesOf(include, names),
      nullsNotDistinct: index?.nullsNotDistinct,
      period: raw.period ? true as const : undefined,
    }),
  };
}

const COLUMN_LIST = `\\(((?:(?:PERIOD )?${PRINTED_IDENTIFIER}(?:, )?)+)\\)`;
const FOREIGN_KEY = new RegExp(`^FOREIGN KEY ${COLUMN_LIST} REFERENCES (${PRINTED_NAME})${COLUMN_LIST}`);

interface ForeignKeyDefinition {
  readonly columns: readonly string[];
  readonly table: string;
  readonly references: readonly string[];
}

/** The columns of the other table are known by number only there, but the definition names them. */
function readForeignKey(definition: string): ForeignKeyDefinition {
  const [all, columns = "", table = "", references = ""] = FOREIGN_KEY.exec(definition) ?? [];
  if (all === undefined) throw new Error(`cannot read the foreign key ${definition}`);
  const list = (text: string) => (text.match(new RegExp(PRINTED_IDENTIFIER, "g")) ?? []).map(readIdentifier);
  return { columns: list(columns), table, references: list(references) };
}

function readReference(raw: RawConstraint, names: ReadonlyMap<number, string>): CatalogReference | undefined {
  if (raw.type !== "f" || raw.definition === undefined) return undefined;
  const { table, references } = readForeignKey(raw.definition);
  const target = readQualifiedName(table);
  return {
    schema: target.schema,
    table: target.name,
    columns: references,
    onDelete: ACTIONS[raw.onDelete] ?? "NoAction",
    onUpdate: ACTIONS[raw.onUpdate] ?? "NoAction",
    match: MATCHES[raw.match] ?? "Simple",
    ...definedOf({ deleteColumns: raw.deleteColumns === undefined ? undefined : namesOf(raw.deleteColumns, names) }),
  };
}

/** A foreign key of another table. */
export function readInboundKey(
  { table, name, definition, index }: RawInboundKey,
  indexes: readonly RawIndex[],
): InboundKey {
  const { columns, references } = readForeignKey(definition);
  const needed = indexes.find(({ oid }) => oid === index);
  const from = readQualifiedName(table);
  return {
    schema: from.schema,
    table: from.name,
    name,
    columns,
    references,
    index: needed === undefined ? "" : readQualifiedName(needed.name).name,
  };
}

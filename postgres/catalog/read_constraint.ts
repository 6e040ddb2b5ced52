import { definedOf, namesOf, type RawConstraint, type RawForeignKey, type RawIndex, type RawUser } from "./raw.ts";
import type { CatalogConstraint, CatalogReference, ConstraintKind, InboundKey } from "./relation.ts";
import type { ReferentialAction } from "../table.ts";
import { PRINTED_IDENTIFIER, PRINTED_NAME, readIdentifier, readQualifiedName } from "../text/printed_name.ts";

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
  const include = namesOf(index?.columns.slice(index.keyCount) ?? null, names);
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
      references: raw.foreignKey === null ? undefined : readReference(raw.foreignKey, names),
      index: index === undefined ? undefined : readQualifiedName(index.name).name,
      include: include.length === 0 ? undefined : include,
      nullsNotDistinct: index?.nullsNotDistinct,
      period: raw.period ? true as const : undefined,
    }),
  };
}

/** A list of one, or of none for a user that is no foreign key. */
export function readInboundKey(
  { table, foreignKey, definition, index }: RawUser,
  indexes: readonly RawIndex[],
): readonly InboundKey[] {
  if (table === null || foreignKey === null || definition === null) return [];
  const { columns, references } = readForeignKey(definition);
  const needed = indexes.find(({ oid }) => oid === index);
  const { schema, name } = readQualifiedName(table);
  return [{
    schema,
    table: name,
    name: foreignKey,
    columns,
    references,
    index: needed === undefined ? "" : readQualifiedName(needed.name).name,
  }];
}

const COLUMN_LIST = `\\((${PRINTED_IDENTIFIER}(?:, (?:PERIOD )?${PRINTED_IDENTIFIER})*)\\)`;
const FOREIGN_KEY = new RegExp(`^FOREIGN KEY ${COLUMN_LIST} REFERENCES (${PRINTED_NAME})${COLUMN_LIST}`);
const IDENTIFIERS = new RegExp(PRINTED_IDENTIFIER, "g");

interface ForeignKeyDefinition {
  readonly columns: readonly string[];
  /** Printed. */
  readonly table: string;
  readonly references: readonly string[];
}

/** The columns of the other table are known by number only there, but the definition names them. */
function readForeignKey(definition: string): ForeignKeyDefinition {
  const [all, columns = "", table = "", references = ""] = FOREIGN_KEY.exec(definition) ?? [];
  if (all === undefined) throw new Error(`cannot read the foreign key ${definition}`);
  const list = (text: string) => (text.match(IDENTIFIERS) ?? []).map(readIdentifier);
  return { columns: list(columns), table, references: list(references) };
}

function readReference(raw: RawForeignKey, names: ReadonlyMap<number, string>): CatalogReference {
  const { table, references } = readForeignKey(raw.definition ?? "");
  const { schema, name } = readQualifiedName(table);
  return {
    schema,
    table: name,
    columns: references,
    onDelete: ACTIONS[raw.onDelete] ?? "NoAction",
    onUpdate: ACTIONS[raw.onUpdate] ?? "NoAction",
    match: MATCHES[raw.match] ?? "Simple",
    ...(raw.deleteColumns === null ? {} : { deleteColumns: namesOf(raw.deleteColumns, names) }),
  };
}

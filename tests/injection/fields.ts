type Spec = Readonly<Record<string, unknown>>;

/** A field of the spec that holds text. */
export interface TextField {
  readonly path: string;
  /** The smallest spec that has the text in this field. */
  readonly fill: (text: string) => Spec;
  /** What the table is made from before: `fill()` then is a change of it. */
  readonly before?: Spec;
}

const COLUMNS = [{ ID: "integer" }, { NOTE: "text" }];

function base(more: Spec): Spec {
  return { tableName: "target", columns: COLUMNS, primaryKey: "ID", ...more };
}

function column(path: string, fill: (text: string) => unknown): TextField {
  return { path: `columns[].${path}`, fill: (text) => base({ columns: [...COLUMNS, { X: fill(text) }] }) };
}

function list(name: string, path: string, fill: (text: string) => unknown): TextField {
  return { path: `${name}[].${path}`, fill: (text) => base({ [name]: [fill(text)] }) };
}

const TARGET = { table: "target", columns: ["ID"] };

/** Every field of the spec that holds text, enumerations included. */
export const TEXT_FIELDS: readonly TextField[] = [
  { path: "tableName", fill: (tableName) => base({ tableName }) },
  { path: "schema", fill: (schema) => base({ schema }) },
  { path: "primaryKey", fill: (primaryKey) => base({ primaryKey }) },
  { path: "primaryKey[]", fill: (name) => base({ primaryKey: [name] }) },
  { path: "comment", fill: (comment) => base({ comment }) },
  { path: "deletionPolicy", fill: (deletionPolicy) => base({ deletionPolicy }) },
  { path: "adoptionPolicy", fill: (adoptionPolicy) => base({ adoptionPolicy }) },
  { path: "approval", fill: (approval) => base({ approval }) },
  { path: "changePolicy.allow[]", fill: (kind) => base({ changePolicy: { allow: [kind] } }) },
  { path: "changePolicy.online", fill: (online) => base({ changePolicy: { online } }) },
  { path: "columns[] (name)", fill: (name) => base({ columns: [...COLUMNS, { [name]: "text" }] }) },
  column("(type)", (type) => type),
  column("type", (type) => ({ type })),
  column("default (text)", (value) => ({ type: "text", default: value })),
  column("default (varchar)", (value) => ({ type: "varchar(9)", default: value })),
  column("defaultExpression", (defaultExpression) => ({ type: "text", defaultExpression })),
  column("check", (check) => ({ type: "text", check })),
  column("identity", (identity) => ({ type: "integer", identity })),
  column("generatedAs", (generatedAs) => ({ type: "text", generatedAs })),
  column("collation", (collation) => ({ type: "text", collation })),
  column("comment", (comment) => ({ type: "text", comment })),
  column("renamedFrom", (renamedFrom) => ({ type: "text", renamedFrom })),
  column("references.table", (table) => ({ type: "integer", references: { table, column: "ID" } })),
  column("references.schema", (schema) => ({ type: "integer", references: { ...TARGET, schema, column: "ID" } })),
  column("references.column", (name) => ({ type: "integer", references: { table: "target", column: name } })),
  column(
    "references.onDelete",
    (onDelete) => ({ type: "integer", references: { table: "target", column: "ID", onDelete } }),
  ),
  {
    path: "columns[].using",
    before: base({}),
    fill: (using) =>
      base({
        columns: [{ ID: "integer" }, { NOTE: { type: "integer", using } }],
        changePolicy: { allow: ["ChangeType"] },
      }),
  },
  list("uniqueConstraints", "name", (name) => ({ name, columns: ["NOTE"] })),
  list("uniqueConstraints", "columns[]", (name) => ({ columns: [name] })),
  list("checks", "name", (name) => ({ name, expression: "ID > 0" })),
  list("checks", "expression", (expression) => ({ expression })),
  list("foreignKeys", "name", (name) => ({ name, columns: ["ID"], references: TARGET })),
  list("foreignKeys", "columns[]", (name) => ({ columns: [name], references: TARGET })),
  list("foreignKeys", "references.schema", (schema) => ({ columns: ["ID"], references: { ...TARGET, schema } })),
  list("foreignKeys", "references.table", (table) => ({ columns: ["ID"], references: { ...TARGET, table } })),
  list(
    "foreignKeys",
    "references.columns[]",
    (name) => ({ columns: ["ID"], references: { ...TARGET, columns: [name] } }),
  ),
  list("foreignKeys", "onUpdate", (onUpdate) => ({ columns: ["ID"], references: TARGET, onUpdate })),
  list("foreignKeys", "deferrable", (deferrable) => ({ columns: ["ID"], references: TARGET, deferrable })),
  list("indexes", "name", (name) => ({ name, columns: ["NOTE"] })),
  list("indexes", "columns[]", (name) => ({ columns: [name] })),
  list("indexes", "columns[].name", (name) => ({ columns: [{ name }] })),
  list("indexes", "columns[].opclass", (opclass) => ({ columns: [{ name: "NOTE", opclass }] })),
  list("indexes", "columns[].collation", (collation) => ({ columns: [{ name: "NOTE", collation }] })),
  list("indexes", "columns[].order", (order) => ({ columns: [{ name: "NOTE", order }] })),
  list("indexes", "expressions[]", (expression) => ({ expressions: [expression] })),
  list("indexes", "method", (method) => ({ columns: ["NOTE"], method })),
  list("indexes", "where", (where) => ({ columns: ["NOTE"], where })),
  list("indexes", "include[]", (name) => ({ columns: ["NOTE"], include: [name] })),
];

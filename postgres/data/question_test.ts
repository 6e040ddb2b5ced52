import { assertEquals } from "@std/assert";
import type { SchemaChange } from "../change.ts";
import { type DataQuestion, type QuestionedTable, questionsFor } from "./question.ts";
import type { Column, ForeignKey, Index } from "../table.ts";

const TABLE: QuestionedTable = {
  schema: "public",
  name: "users",
  columns: [column("id", { type: "integer", notNull: true }), column("email"), column("name"), column("parent_id")],
};

function column(name: string, rest: Partial<Column> = {}): Column {
  return { name, type: "text", notNull: false, ...rest };
}

function index(columns: readonly string[], rest: Partial<Index> = {}): Index {
  const keys = columns.map((each) => ({ column: each, order: "Ascending", nulls: "Last" } as const));
  const fixed = { unique: true, nullsNotDistinct: false, method: "btree", include: [], valid: true } as const;
  return { ...fixed, keys, ...rest };
}

function foreignKey(columns: readonly string[], references: ForeignKey["references"]): ForeignKey {
  const rest = { onDelete: "NoAction", onUpdate: "NoAction", deferrable: "No", validated: true } as const;
  return { columns, references, ...rest };
}

/** `nulls email`, `duplicates a,b`, … in few words. */
function brief(question: DataQuestion): string {
  switch (question.kind) {
    case "nulls":
    case "misfits":
      return `${question.kind} ${question.column.name}`;
    case "duplicates":
      return `duplicates ${question.columns.map(({ name }) => name)}${question.nullsNotDistinct ? " with nulls" : ""}`;
    case "orphans": {
      const { schema, table, columns } = question.references;
      return `orphans ${question.columns.map(({ name }) => name)} -> ${schema}.${table}(${columns})`;
    }
    case "rows":
      return `rows ${question.columns} ${question.value}`;
  }
}

function asked(...changes: readonly SchemaChange[]): readonly string[] {
  return questionsFor(changes, TABLE).map(brief);
}

Deno.test("questionsFor() asks for nulls under NOT NULL, once, and not where the column refuses them already", () => {
  assertEquals(asked({ kind: "SetNotNull", column: "email" }), ["nulls email"]);
  assertEquals(asked({ kind: "SetNotNull", column: "id" }), []);
  assertEquals(asked({ kind: "AddIdentity", column: "name", identity: "Always" }), ["nulls name"]);
  const both: SchemaChange[] = [
    { kind: "SetNotNull", column: "name" },
    { kind: "AddIdentity", column: "name", identity: "Always" },
  ];
  assertEquals(asked(...both), ["nulls name"]);
});

Deno.test("questionsFor() keeps the change with each question", () => {
  const change = { kind: "AddPrimaryKey", key: { columns: ["id", "email"] } } as const;
  const questions = questionsFor([change], TABLE);
  assertEquals(questions.map(brief), ["nulls email", "duplicates id,email"]);
  assertEquals(questions.every((question) => question.change === change), true);
});

Deno.test("questionsFor() asks a unique index that is there only for the nulls of a primary key", () => {
  const attach = { kind: "AttachIndex", index: "i", name: "k", columns: ["id", "email"] } as const;
  assertEquals(asked({ ...attach, constraint: "primary key" }), ["nulls email"]);
  assertEquals(asked({ ...attach, constraint: "unique constraint" }), []);
});

Deno.test("questionsFor() asks for duplicates under unique constraints and plain unique indexes", () => {
  const unique = { columns: ["email", "name"], nullsNotDistinct: true };
  assertEquals(asked({ kind: "AddUnique", unique }), ["duplicates email,name with nulls"]);
  assertEquals(asked({ kind: "CreateIndex", index: index(["email"]) }), ["duplicates email"]);
  assertEquals(asked({ kind: "RebuildIndex", name: "i", index: index(["email"]) }), ["duplicates email"]);
});

Deno.test("questionsFor() leaves out indexes that would need an expression, a condition or another comparison", () => {
  const key = { order: "Ascending", nulls: "Last" } as const;
  const others: readonly Index[] = [
    index(["email"], { unique: false }),
    index(["email"], { where: "name IS NULL" }),
    index([], { keys: [{ ...key, expression: "lower(email)" }] }),
    index([], { keys: [{ ...key, column: "email", collation: '"public"."nocase"' }] }),
    index([], { keys: [{ ...key, column: "email", opclass: '"public"."citext_ops"' }] }),
  ];
  for (const each of others) assertEquals(asked({ kind: "CreateIndex", index: each }), []);
});

Deno.test("questionsFor() asks for orphans, by the names that stand in the database", () => {
  const parents = { schema: "public", table: "parents", columns: ["id"] };
  assertEquals(asked({ kind: "AddForeignKey", foreignKey: foreignKey(["parent_id"], parents) }), [
    "orphans parent_id -> public.parents(id)",
  ]);
  const toItself = { schema: "public", table: "people", columns: ["number"] };
  const changes: SchemaChange[] = [
    { kind: "RenameTable", from: "users", to: "people" },
    { kind: "RenameColumn", from: "id", to: "number" },
    { kind: "RenameColumn", from: "parent_id", to: "boss" },
    { kind: "AddForeignKey", foreignKey: foreignKey(["boss"], toItself) },
  ];
  assertEquals(asked(...changes), ["orphans parent_id -> public.users(id)"]);
  const [question] = questionsFor(changes, TABLE);
  assertEquals(question?.kind === "orphans" ? question.columns : [], [{ name: "parent_id", shown: "boss" }]);
  assertEquals(question?.table, { schema: "public", name: "users" });
});

Deno.test("questionsFor() asks for the orphans of a foreign key that was never validated", () => {
  const references = { schema: "public", table: "parents", columns: ["id"] };
  const standing = { ...foreignKey(["parent_id"], references), name: "old_fk", validated: false };
  const changes: SchemaChange[] = [
    { kind: "RenameConstraint", from: "old_fk", to: "new_fk" },
    { kind: "ValidateConstraint", name: "new_fk", references },
    { kind: "ValidateConstraint", name: "a_check" },
  ];
  assertEquals(questionsFor(changes, { ...TABLE, foreignKeys: [standing] }).map(brief), [
    "orphans parent_id -> public.parents(id)",
  ]);
});

Deno.test("questionsFor() asks whether rows are there under a new NOT NULL column without a value", () => {
  const add = (rest: Partial<Column>) =>
    asked({ kind: "AddColumn", column: column("new", { notNull: true, ...rest }) });
  assertEquals(add({}), ["rows new none"]);
  assertEquals(add({ default: "'x'" }), []);
  assertEquals(add({ identity: "Always", type: "integer" }), []);
  assertEquals(add({ generated: "id + 1", type: "integer" }), []);
  assertEquals(add({ notNull: false }), []);
});

Deno.test("questionsFor() looks through new columns under a key: only a value that all rows share can repeat", () => {
  const add = (rest: Partial<Column>, columns: readonly string[], nullsNotDistinct = false) =>
    asked(
      { kind: "AddColumn", column: column("new", rest) },
      { kind: "AddUnique", unique: { columns, nullsNotDistinct } },
    );
  assertEquals(add({ default: "'it''s'" }, ["new"]), ["rows new same"]);
  assertEquals(add({ default: "5" }, ["new", "email"]), ["duplicates email"]);
  assertEquals(add({}, ["new", "email"]), []);
  assertEquals(add({}, ["new", "email"], true), ["duplicates email with nulls"]);
  assertEquals(add({ default: "gen_random_uuid()" }, ["new"]), []);
  assertEquals(add({ default: "'a'::text || 'b'::text" }, ["new"]), []);
  assertEquals(add({ identity: "Always" }, ["new", "email"]), []);
});

Deno.test("questionsFor() asks nothing about values that the plan itself makes anew", () => {
  const using = { kind: "ChangeType", column: "email", from: "text", to: "integer", using: "length(email)" } as const;
  assertEquals(asked(using, { kind: "SetNotNull", column: "email" }), []);
  assertEquals(asked(using, { kind: "AddUnique", unique: { columns: ["email"], nullsNotDistinct: false } }), []);
  const collation = { kind: "SetCollation", column: "email", type: "text", collation: undefined } as const;
  assertEquals(asked(collation, { kind: "AddUnique", unique: { columns: ["email"], nullsNotDistinct: false } }), []);
  const wider = { kind: "ChangeType", column: "id", from: "integer", to: "bigint" } as const;
  assertEquals(asked(wider, { kind: "AddPrimaryKey", key: { columns: ["id"] } }), ["duplicates id"]);
  // Dropped and added anew: its old rows say nothing.
  const replaced: SchemaChange[] = [
    { kind: "DropColumn", column: column("email") },
    { kind: "AddColumn", column: column("email", { generated: "lower(name)" }) },
  ];
  assertEquals(asked(...replaced, { kind: "AddUnique", unique: { columns: ["email"], nullsNotDistinct: true } }), []);
});

Deno.test("questionsFor() asks for values that a narrower type does not take", () => {
  assertEquals(asked({ kind: "ChangeType", column: "name", from: "text", to: "character varying(60)" }), [
    "misfits name",
  ]);
  assertEquals(asked({ kind: "ChangeType", column: "name", from: "character varying(60)", to: "text" }), []);
});

Deno.test("questionsFor() asks nothing of a table that is not there, and nothing for changes that cannot fail", () => {
  const table = { ...TABLE, uniques: [], checks: [], foreignKeys: [], indexes: [], unmanaged: [] };
  assertEquals(asked({ kind: "CreateTable", table }, { kind: "CreateIndex", index: index(["email"]) }), []);
  const harmless: SchemaChange[] = [
    { kind: "DropNotNull", column: "id" },
    { kind: "SetDefault", column: "email", default: "''" },
    { kind: "AddCheck", check: { expression: "id > 0", validated: true } },
    { kind: "SetTableComment", comment: "x" },
    { kind: "DropColumn", column: column("email") },
  ];
  assertEquals(asked(...harmless), []);
});

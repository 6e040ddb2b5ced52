import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatFieldError } from "../../../crds/field_error.ts";
import type { Table } from "../../../postgres/table.ts";
import type { DesiredTable } from "./desired.ts";
import { understandSpec } from "./understand.ts";

/** Texts of every kind, in every field: right, nearly right, and hostile. */
const text = fc.oneof(
  fc.constantFrom(
    "ID",
    "A",
    "B",
    "C",
    '"a b"',
    "public.a",
    "x",
    "now()",
    "a > 0",
    "id + 1",
    "lower(a)",
    "C",
    "text_ops",
  ),
  fc.constantFrom("", " ", "\0", "/*", "--", ";", "'", '"', "$1", "a; DROP TABLE t", "(SELECT 1)", "\u202ea", "\ud800"),
  fc.string({ maxLength: 12, unit: "binary" }),
);
const type = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom("integer", "text", "varchar(5)", "bigint", "serial", "jsonb", "mood", "int[]"),
  },
  { weight: 1, arbitrary: text },
);
const name = fc.oneof({ weight: 6, arbitrary: fc.constantFrom("ID", "A", "B", "C") }, { weight: 1, arbitrary: text });
const anything = fc.jsonValue({ maxDepth: 2, stringUnit: "binary" });

/** Mostly of the right kind. */
function mostly<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 30, arbitrary }, { weight: 1, arbitrary: anything });
}

function fields(model: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const optional = Object.entries(model).map(([key, arbitrary]) => [key, mostly(arbitrary)]);
  return mostly(fc.record(Object.fromEntries(optional), { requiredKeys: [] }));
}

function list(item: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return mostly(fc.array(item, { maxLength: 3 }));
}

const action = fc.constantFrom("NoAction", "Cascade", "SetNull", "no");
const long = fc.tuple(
  type,
  fields({
    notNull: fc.boolean(),
    default: fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)),
    defaultExpression: text,
    check: text,
    unique: fc.boolean(),
    references: fields({ schema: name, table: name, column: name, onDelete: action, onUpdate: action }),
    identity: fc.constantFrom("Always", "ByDefault"),
    generatedAs: text,
    collation: text,
    comment: text,
    renamedFrom: name,
    using: text,
  }),
).map(([type, options]) => (typeof options === "object" && options !== null ? { type, ...options } : options));
const column = fc.oneof(
  { weight: 20, arbitrary: fc.tuple(name, fc.oneof(type, long)).map(([key, value]) => ({ [key]: value })) },
  { weight: 1, arbitrary: anything },
);
const target = fields({ schema: name, table: name, columns: list(name) });
const key = fc.oneof(
  name,
  fields({ name, opclass: text, order: fc.constantFrom("Ascending", "Descending"), collation: text }),
);
const spec = fields({
  schema: name,
  uniqueConstraints: list(fields({ name, columns: list(name), nullsNotDistinct: fc.boolean() })),
  checks: list(fields({ name, expression: text })),
  foreignKeys: list(fields({ name, columns: list(name), references: target, onDelete: action })),
  indexes: list(
    fields({
      name,
      columns: list(key),
      expressions: list(text),
      unique: fc.boolean(),
      method: fc.constantFrom("btree", "gin", "hash"),
      where: text,
      include: list(name),
    }),
  ),
  comment: text,
  changePolicy: fields({ allow: list(fc.constantFrom("DropColumn", "x")), online: text }),
  adoptionPolicy: fc.constantFrom("Never", "IfIdentical"),
}).chain((rest) =>
  fc.tuple(
    mostly(name),
    mostly(fc.array(column, { minLength: 1, maxLength: 4 })),
    mostly(fc.oneof(name, fc.array(name))),
  )
    .map(([tableName, columns, primaryKey]) =>
      typeof rest === "object" && rest !== null ? { tableName, columns, primaryKey, ...rest } : rest
    )
);

const condition = fc.constantFrom("a > ''", "id > 0 AND b > 0", "lower(a) = a", "b IS NOT NULL", "c::text <> a");
const some = fc.subarray(["ID", "a", "B", '"c"'], { minLength: 1 });
const partName = fc.option(fc.constantFrom("u", "v", "w", "x", "y", "z"), { nil: undefined, freq: 2 });

function columnOf(type: string, values: readonly fc.Arbitrary<unknown>[]): fc.Arbitrary<unknown> {
  const [first = fc.constant({}), ...others] = values;
  const options = fc.record({
    notNull: fc.constant(true),
    unique: fc.boolean(),
    check: condition,
    comment: text.filter((each) => !each.includes("\0") && each.isWellFormed()),
    using: condition,
  }, { requiredKeys: [] });
  return fc.tuple(options, fc.oneof(fc.constant({}), first, ...others)).map(([rest, value]) =>
    Object.assign({ type }, rest, value)
  );
}

/** Specs that are right, but for parts that happen to be the same. */
const rightSpec = fc.record({
  tableName: fc.constantFrom("T", '"My Table"'),
  columns: fc.tuple(
    columnOf("integer", [fc.constant({ identity: "Always" }), fc.constant({ default: 1 })]),
    columnOf("text", [fc.constant({ collation: "C" }), fc.constant({ defaultExpression: "upper('a')" })]),
    columnOf("bigint", [fc.constant({ generatedAs: "id * 2" }), fc.constant({ renamedFrom: "old" })]),
    fc.constantFrom<unknown>("jsonb", "serial", "mood", { type: "app.mood[]", default: "{}" }),
  ).map(([ID, A, B, C]) => [{ ID }, { A }, { B }, { C }]),
  primaryKey: some,
  uniqueConstraints: fc.array(fc.record({ name: partName, columns: some, nullsNotDistinct: fc.boolean() }), {
    maxLength: 2,
  }),
  checks: fc.array(fc.record({ name: partName, expression: condition }), { maxLength: 2 }),
  foreignKeys: fc.array(
    fc.record({
      name: partName,
      columns: some,
      references: fc.record({ table: fc.constantFrom("u", "T"), columns: some }),
      onDelete: fc.constantFrom("NoAction", "Cascade"),
    }).map(({ columns, references, ...rest }) => ({ ...rest, columns, references: { ...references, columns } })),
    { maxLength: 2 },
  ),
  indexes: fc.array(fc.record({ name: partName, columns: some, where: condition, unique: fc.boolean() }), {
    maxLength: 2,
  }),
  comment: fc.constantFrom("", "text"),
}, { requiredKeys: ["tableName", "columns", "primaryKey"] }).map((right) => JSON.parse(JSON.stringify(right)));

async function checkUnderstood(raw: unknown): Promise<"table" | "faults"> {
  const { errors, desired } = await understandSpec(raw);
  for (const error of errors) {
    assert(error.path === "spec" || error.path.startsWith("spec."), error.path);
    assert(!/[\p{Cc}\p{Surrogate}\u202a-\u202e]/u.test(formatFieldError(error)), formatFieldError(error));
  }
  if (errors.length > 0) return "faults";
  const table = desired?.table;
  if (desired === undefined || table === undefined) throw new Error("neither faults nor a table");
  checkTable(table, desired);
  return "table";
}

/** What everybody may take for granted of a table without faults. */
function checkTable(table: Table, { paths, undecided }: DesiredTable): void {
  const names = table.columns.map((each) => each.name);
  assertEquals([undecided.size, new Set(names).size], [0, names.length]);
  for (const { default: literal, identity, generated, notNull } of table.columns) {
    assert([literal, identity, generated].filter((value) => value !== undefined).length <= 1);
    assert(identity === undefined || notNull);
  }
  const keyed = table.columns.filter((each) => table.primaryKey?.columns.includes(each.name));
  assert(keyed.length > 0 && keyed.length === table.primaryKey?.columns.length && keyed.every((each) => each.notNull));
  for (const part of ["uniques", "checks", "foreignKeys", "indexes"] as const) {
    assertEquals(paths[part].length, table[part].length);
  }
  const used = [...table.uniques, ...table.foreignKeys].flatMap((part) => part.columns);
  const indexed = table.indexes.flatMap((
    { keys, include },
  ) => [...keys.flatMap((each) => each.column ?? []), ...include]);
  assertEquals([...used, ...indexed].filter((each) => !names.includes(each)), []);
  const parts = [...table.uniques, ...table.checks, ...table.foreignKeys, ...table.indexes];
  const partNames = parts.flatMap((part) => part.name ?? []);
  assertEquals(new Set(partNames).size, partNames.length);
}

Deno.test("understandSpec() finds faults or a whole table in any JSON, and never throws", async () => {
  const specs = fc.oneof(
    { weight: 3, arbitrary: rightSpec },
    { weight: 6, arbitrary: spec },
    { weight: 1, arbitrary: anything },
  );
  const found = { table: 0, faults: 0 };
  await fc.assert(
    fc.asyncProperty(specs, async (raw) => {
      found[await checkUnderstood(raw)]++;
    }),
    { numRuns: 20_000 },
  );
  // The generator is worth its name only if it finds both.
  assert(found.table > 500 && found.faults > 5_000, JSON.stringify(found));
});

Deno.test("understandSpec() reads JSON that somebody wrote by hand", async () => {
  const json = '{"tableName":"T","columns":[{"__proto__":"integer"},{"constructor":"text"}],"primaryKey":"__proto__"}';
  const { errors, desired } = await understandSpec(JSON.parse(json));
  assertEquals(errors, []);
  assertEquals(desired?.table?.columns.map((each) => each.name), ["__proto__", "constructor"]);
});

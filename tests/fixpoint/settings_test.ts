import { assertEquals } from "@std/assert";
import { table } from "./case.ts";
import { FixpointDatabase, subjectOf } from "./fixpoint_database.ts";
import { assertState, madeAtOnce, nextNumber } from "./run_case.ts";

/** Settings that change what SQL means or what PostgreSQL prints, with the worst value of each. */
const SETTINGS: Readonly<Record<string, string>> = {
  search_path: "evil, public",
  standard_conforming_strings: "off",
  backslash_quote: "on",
  quote_all_identifiers: "on",
  transform_null_equals: "on",
  array_nulls: "off",
  DateStyle: "'German, DMY'",
  IntervalStyle: "iso_8601",
  TimeZone: "'America/St_Johns'",
  bytea_output: "escape",
  extra_float_digits: "'-15'",
  xmloption: "document",
  row_security: "on",
  client_encoding: "LATIN1",
  default_transaction_isolation: "serializable",
};

/** Each column has a text that one of the settings would print or read in another way. */
const SPEC = table({
  MOMENT: { type: "timestamptz", default: "2024-02-03 04:05:06.789+00" },
  DAY: { type: "date", default: "2024-02-03", check: "DAY > '2000-12-31'::date" },
  SPAN: { type: "interval", default: "1 year 2 days 03:04:05" },
  BYTES: { type: "bytea", defaultExpression: "'\\x00ff5c'::bytea" },
  RATIO: { type: "double precision", default: "0.1" },
  PATH: { type: "text", default: "C:\\temp\\'x'" },
  LIST: { type: "text[]", defaultExpression: "'{NULL,a}'::text[]" },
  FLAG: { type: "boolean", generatedAs: "PATH = null" },
  KIND: { type: "varchar(9)", check: "KIND IN ('a\\', 'b')" },
  ZZZ: { type: "text", default: "ÿé" },
}, {
  indexes: [{ name: "i", expressions: ["lower(PATH)"], where: "MOMENT > '2020-01-01 00:00:00+00'::timestamptz" }],
});

let at: FixpointDatabase;

Deno.test.beforeAll(async () => {
  at = await FixpointDatabase.start("settings");
  await at.server.asSuperuser(
    "CREATE SCHEMA evil",
    "GRANT USAGE ON SCHEMA evil TO PUBLIC",
    "CREATE FUNCTION evil.lower(text) RETURNS text IMMUTABLE LANGUAGE sql RETURN 'evil'",
  );
});

Deno.test.afterAll(() => at?.stop());

for (const level of ["DATABASE", "ROLE"] as const) {
  Deno.test(`settings of the ${level.toLowerCase()} make no drift, neither when they come nor when they go`, async () => {
    const name = level === "DATABASE" ? at.server.database : at.server.role;
    const schema = await at.schema("s");
    const place = { schema, number: nextNumber(), generation: 1 };
    const subject = await subjectOf(at, SPEC, place);
    await at.apply(subject);
    const spec = { ...SPEC, columns: [...columnsOf(SPEC), ...columnsOf(MORE)] };
    const next = await subjectOf(at, spec, { ...place, generation: 2 });
    await at.server.asSuperuser(
      ...Object.entries(SETTINGS).map(([setting, value]) => `ALTER ${level} ${name} SET ${setting} = ${value}`),
    );
    const under = await at.sibling();
    assertEquals((await under.observe(subject)).plan.changes, []);
    const { plan, mismatches } = await under.apply(next);
    assertEquals([plan?.changes.map(({ kind }) => kind), mismatches], [["AddColumn", "AddColumn", "AddCheck"], []]);
    assertEquals((await under.observe(next)).plan.changes, []);
    await at.server.asSuperuser(`ALTER ${level} ${name} RESET ALL`);
    const behind = await at.sibling();
    assertEquals((await behind.observe(next)).plan.changes, []);
    await assertState(behind, next, { should: await madeAtOnce(behind, spec), printsOther: false });
  });
}

/** Comes while the settings hold. */
const MORE = table({
  LATER: { type: "timestamptz", default: "2024-02-03 04:05:06+00", check: "LATER <> 'epoch'" },
  EMPTY: { type: "text[]", defaultExpression: "'{NULL,b}'::text[]" },
});

function columnsOf(spec: Readonly<Record<string, unknown>>): readonly unknown[] {
  return (spec["columns"] as readonly unknown[]).filter((_, index) => spec === SPEC || index > 0);
}

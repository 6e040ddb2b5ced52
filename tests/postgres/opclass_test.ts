import { assert, assertEquals } from "@std/assert";
import { indexMethod, isDefaultOpclass } from "../../postgres/resolve/index_method.ts";
import { ownCollation } from "../../postgres/text/collation.ts";
import { BUILT_IN_TYPES } from "../../postgres/text/built_in_type.ts";
import { qualifiedName } from "../../postgres/text/identifier.ts";
import { startTestDatabase, type TestDatabase } from "../harness/postgres_database.ts";

/** Every operator class that an index of a type may name, tried: `printed` tells whether PostgreSQL shows it. */
const TRY_ALL = `
DO $$ DECLARE r record; o regclass; BEGIN
  FOR r IN SELECT m.amname, o.opcname, t.typname, t.oid AS type_oid, t.typcategory FROM pg_opclass o
    JOIN pg_am m ON m.oid = o.opcmethod JOIN pg_type t ON t.typnamespace = 'pg_catalog'::regnamespace
      AND (o.opcintype = t.oid OR o.opcintype::regtype::text LIKE 'any%'
        OR EXISTS (SELECT FROM pg_cast c WHERE c.castsource = t.oid AND c.casttarget = o.opcintype AND c.castmethod = 'b'))
    WHERE t.typtype IN ('b', 'r', 'm') AND (t.typcategory <> 'A' OR t.typname = '_text') AND m.amname IN ('btree', 'hash', 'gin', 'gist', 'brin', 'spgist')
  LOOP
    BEGIN
      EXECUTE format('CREATE TEMP TABLE tried (c %s)', format_type(r.type_oid, NULL));
      EXECUTE format('CREATE INDEX tried_index ON tried USING %I (c pg_catalog.%I)', r.amname, r.opcname);
      INSERT INTO result VALUES (r.amname, r.opcname, r.typname, pg_get_indexdef('tried_index'::regclass) LIKE '%' || r.opcname || '%');
      DROP TABLE tried;
    EXCEPTION WHEN OTHERS THEN NULL; END;
  END LOOP;
END $$`;

async function comparesOpclasses(database: TestDatabase): Promise<void> {
  const rows = await database.asSuperuser(
    "CREATE TEMP TABLE result (method text, opclass text, type text, printed boolean)",
    TRY_ALL,
    "SELECT * FROM result",
  ) as unknown as readonly { method: string; opclass: string; type: string; printed: boolean }[];
  assert(rows.length > 200, `${rows.length}`);
  const wrong = rows.filter(({ method, opclass, type, printed }) => {
    const isArray = type.startsWith("_");
    const name = isArray ? type.slice(1) : type;
    if (!BUILT_IN_TYPES.has(name)) return false;
    const quoted = qualifiedName("pg_catalog", opclass);
    return isDefaultOpclass(method, quoted, { name, typmods: [], isArray }) === printed;
  });
  assertEquals(wrong, []);
}

async function comparesMethods(database: TestDatabase): Promise<void> {
  const rows = await database.asSuperuser(
    `SELECT amname, pg_indexam_has_property(oid, 'can_unique') AS "canUnique", pg_indexam_has_property(oid, 'can_order') AS "canOrder",
       pg_indexam_has_property(oid, 'can_multi_col') AS "canMultiCol", pg_indexam_has_property(oid, 'can_include') AS "canInclude"
     FROM pg_am WHERE amtype = 'i'`,
  );
  assertEquals(rows.length, 6);
  for (const { amname, ...properties } of rows) assertEquals(indexMethod(String(amname)), properties);
}

async function comparesCollations(database: TestDatabase): Promise<void> {
  const rows = await database.asSuperuser(
    `SELECT t.typname, c.collname FROM pg_type t LEFT JOIN pg_collation c ON c.oid = t.typcollation
     WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype IN ('b', 'r', 'm')`,
  );
  const types = rows.map(({ typname, collname }) => ({ name: String(typname), collation: collname }))
    .filter(({ name }) => BUILT_IN_TYPES.has(name));
  for (const { name, collation } of types) {
    const expected = collation === null ? undefined : qualifiedName("pg_catalog", String(collation));
    assertEquals([name, ownCollation({ name, typmods: [], isArray: false })], [name, expected]);
  }
}

Deno.test("What PostgreSQL takes when an index or a column names nothing", async (t) => {
  const database = await startTestDatabase("opclass");
  try {
    await t.step("default operator classes, as it prints indexes", () => comparesOpclasses(database));
    await t.step("what an access method can do", () => comparesMethods(database));
    await t.step("the collation of a type", () => comparesCollations(database));
  } finally {
    await database.stop();
  }
});

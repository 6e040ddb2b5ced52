import type { Table } from "../../postgres/table.ts";
import { qualifiedName, quoteIdentifier } from "../../postgres/text/identifier.ts";
import type { FixpointDatabase } from "./fixpoint_database.ts";

/** Fills a table: every row has another value in each of its columns, and none is empty. */
export async function fillTable(at: FixpointDatabase, table: Table, rows: number): Promise<void> {
  const given = table.columns.filter(({ generated }) => generated === undefined);
  const names = given.map(({ name }) => quoteIdentifier(name)).join(", ");
  const values = given.map(({ type }) => `(${valueOf(type)})::${type}`).join(", ");
  await at.run(
    `INSERT INTO ${qualifiedName(table.schema, table.name)} (${names}) OVERRIDING SYSTEM VALUE
     SELECT ${values} FROM generate_series(1, ${rows}) n`,
  );
}

function valueOf(type: string): string {
  switch (/^[a-z]+/.exec(type)?.[0]) {
    case "uuid":
      return "lpad(n::text, 32, '0')";
    case "timestamp":
    case "timestamptz":
      return "timestamptz '2026-01-01' + n * interval '1 day'";
    case "jsonb":
      return "jsonb_build_object('n', n)";
    case "boolean":
      return "n % 2 = 0";
    default:
      return "n";
  }
}

/** What somebody made by hand on a table. */
export interface ByHand {
  readonly before: readonly string[];
  state(table: Table): Promise<readonly string[]>;
  remove(table: Table): Promise<void>;
}

/** Adds to a table what no spec names, so that a plan can be seen to leave it alone. */
export async function makeByHand(at: FixpointDatabase, made: Table): Promise<ByHand> {
  const name = ({ schema, name }: Table) => qualifiedName(schema, name);
  await at.run(
    `ALTER TABLE ${name(made)} ADD COLUMN by_hand integer DEFAULT 5 CONSTRAINT by_hand_check CHECK (by_hand > 0)`,
    `ALTER TABLE ${name(made)} ADD CONSTRAINT by_hand_unique UNIQUE (by_hand, id)`,
    `CREATE INDEX by_hand_index ON ${name(made)} (by_hand)`,
    `CREATE STATISTICS ${quoteIdentifier(made.schema)}.by_hand_statistics ON by_hand, id FROM ${name(made)}`,
  );
  const state = async (table: Table) => {
    const rows = await at.query<{ readonly line: string }>(
      `SELECT pg_get_constraintdef(oid) AS line FROM pg_constraint WHERE conrelid = '${
        name(table)
      }'::regclass AND conname LIKE 'by_hand%'
       UNION ALL SELECT split_part(pg_get_indexdef(indexrelid), ' USING ', 2) FROM pg_index WHERE indrelid = '${
        name(table)
      }'::regclass
         AND indexrelid::regclass::text LIKE '%by_hand%'
       UNION ALL SELECT attname || pg_get_expr(adbin, adrelid) FROM pg_attribute JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
         WHERE attrelid = '${name(table)}'::regclass AND attname = 'by_hand'
       UNION ALL SELECT stxname || stxkeys::text FROM pg_statistic_ext WHERE stxrelid = '${
        name(table)
      }'::regclass ORDER BY 1`,
    );
    return rows.map(({ line }) => line);
  };
  return {
    before: await state(made),
    state,
    remove: (table) =>
      at.run(
        `DROP STATISTICS ${quoteIdentifier(table.schema)}.by_hand_statistics`,
        `ALTER TABLE ${name(table)} DROP COLUMN by_hand`,
      ),
  };
}

import type { Transaction } from "./session/client.ts";
import type { Column } from "./table.ts";

/** A column whose type would run somebody's code with the operator's rights, or is no type of a column. */
export interface UnsafeType {
  readonly column: string;
  /** One clause, for users. */
  readonly why: string;
}

interface TypeRow {
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly extension: boolean;
  readonly checked: boolean;
}

// A domain may stand on another domain: the checks of all of them run.
const LOOK_UP = `
WITH RECURSIVE want AS (
  SELECT x ->> 0 AS nspname, x ->> 1 AS typname FROM jsonb_array_elements($1::text::jsonb) x
), chain AS (
  SELECT t.oid AS root, t.oid, t.typbasetype FROM want w JOIN pg_namespace n ON n.nspname = w.nspname
  JOIN pg_type t ON t.typnamespace = n.oid AND t.typname = w.typname
  UNION ALL SELECT c.root, b.oid, b.typbasetype FROM chain c JOIN pg_type b ON b.oid = c.typbasetype
)
SELECT n.nspname AS schema, t.typname AS name, t.typtype AS kind,
  EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e') AS extension,
  EXISTS (SELECT FROM chain c JOIN pg_constraint k ON k.contypid = c.oid AND k.contype = 'c' WHERE c.root = t.oid) AS checked
FROM want w JOIN pg_namespace n ON n.nspname = w.nspname JOIN pg_type t ON t.typnamespace = n.oid AND t.typname = w.typname`;

/**
 * Finds types that are not PostgreSQL's own and that must not be used: a CHECK of a domain, and the functions of a type
 * that somebody made, run with the operator's rights as soon as a row gets a value. Enums, types of extensions and domains
 * without a check run nothing. A type that is not there is no matter of this look-up. No round trip without such types.
 */
export async function unsafeTypes(
  transaction: Transaction,
  columns: readonly Column[],
): Promise<readonly UnsafeType[]> {
  const named = columns.flatMap((column) => {
    const name = qualifiedTypeOf(column.type);
    return name === undefined ? [] : [{ column: column.name, name }];
  });
  if (named.length === 0) return [];
  const rows = await transaction.query<TypeRow>(LOOK_UP, [JSON.stringify(named.map(({ name }) => name))]);
  return named.flatMap(({ column, name: [schema, type] }) => {
    const row = rows.find((each) => each.schema === schema && each.name === type);
    const why = row === undefined ? undefined : faultOf(row);
    return why === undefined ? [] : [{ column, why }];
  });
}

function faultOf(row: TypeRow): string | undefined {
  const name = `${row.schema}.${row.name}`;
  if (row.extension || row.kind === "e") return undefined;
  if (row.kind !== "d") return `${name} is neither an enum, nor a domain, nor a type of an extension`;
  return row.checked
    ? `the CHECK of domain ${name} would run with the operator's rights: use its base type`
    : undefined;
}

/** Schema and name of a type that `printType()` had to quote: `"app"."mood"[]`. */
function qualifiedTypeOf(type: string): readonly [string, string] | undefined {
  const match = /^"((?:[^"]|"")*)"\."((?:[^"]|"")*)"/.exec(type);
  if (match === null) return undefined;
  const [, schema = "", name = ""] = match;
  return [schema.replaceAll('""', '"'), name.replaceAll('""', '"')];
}

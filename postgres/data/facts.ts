import type { Transaction } from "../session/client.ts";

/** What must be known of a table before its rows are asked anything. */
export interface TableFacts {
  readonly oid: number;
  /** An ordinary table: no view, no partitions, nothing foreign. */
  readonly isOrdinary: boolean;
  /** Whether the operator's role owns it, itself or as a member. */
  readonly isOwned: boolean;
  /** Whether policies would hide rows from us. */
  readonly hasRowSecurity: boolean;
  /** Whether merely planning a query runs functions that the owner chose: in a partial index, an index on an expression. */
  readonly hasExpressions: boolean;
  readonly bytes: number;
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  readonly primaryKey: readonly string[];
  /** Columns of each valid btree index without condition or expression. */
  readonly indexes: readonly (readonly string[])[];
}

export interface ColumnFacts {
  /** Of a domain: what is right behind it. */
  readonly typeSchema: string;
  readonly type: string;
  /** `pg_type.typtype`: b, c, e, m, r; d for a domain over a domain. */
  readonly typeKind: string;
  /** A generated column that is computed when it is read. */
  readonly isVirtual: boolean;
}

/**
 * Takes ACCESS SHARE, so that name and shape stay what they are until the end of the transaction: a view in the table's
 * place would run its owner's functions. The facts come from a later statement, which sees what the wait for the lock saw.
 */
const LOCK = `
SELECT pg_relation_size(c.oid)::text AS bytes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`;

// Text only; every name is qualified by the pinned search path.
const FACTS = `
SELECT c.oid::bigint AS oid, c.relkind = 'r' AND c.relpersistence <> 't' AS ordinary,
  pg_has_role(c.relowner, 'USAGE') AS owned, row_security_active(c.oid) AS row_security,
  EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND (i.indpred IS NOT NULL OR i.indexprs IS NOT NULL))
    OR EXISTS (SELECT FROM pg_statistic_ext s WHERE s.stxrelid = c.oid AND s.stxexprs IS NOT NULL) AS expressions,
  (SELECT jsonb_agg(jsonb_build_array(a.attname, s.nspname, b.typname, b.typtype, a.attgenerated = 'v'))
   FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
   JOIN pg_type b ON b.oid = CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END
   JOIN pg_namespace s ON s.oid = b.typnamespace
   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text AS columns,
  (SELECT jsonb_agg(jsonb_build_array(i.indisprimary,
     (SELECT jsonb_agg(a.attname ORDER BY k.i) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(n, i)
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.n WHERE k.i <= i.indnkeyatts)))
   FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree'
   WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL)::text AS indexes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`;

interface FactsRow {
  readonly oid: string;
  readonly ordinary: boolean;
  readonly owned: boolean;
  readonly row_security: boolean;
  readonly expressions: boolean;
  readonly columns: string | null;
  readonly indexes: string | null;
}

/** Locks the table against changes of its shape and reads the facts; one round trip. `undefined`: no such table. */
export async function readFacts(
  transaction: Transaction,
  table: { readonly schema: string; readonly name: string },
): Promise<TableFacts | undefined> {
  const name = [table.schema, table.name];
  const [[size], [row]] = await Promise.all([
    transaction.query<{ readonly bytes: string | null }>(LOCK, name),
    transaction.query<FactsRow>(FACTS, name),
  ]);
  return row === undefined ? undefined : factsOf(row, Number(size?.bytes ?? 0));
}

function factsOf(row: FactsRow, bytes: number): TableFacts {
  const indexes = list<[boolean, string[] | null]>(row.indexes);
  return {
    oid: Number(row.oid),
    isOrdinary: row.ordinary,
    isOwned: row.owned,
    hasRowSecurity: row.row_security,
    hasExpressions: row.expressions,
    bytes,
    columns: new Map(
      list<[string, string, string, string, boolean]>(row.columns)
        .map(([name, typeSchema, type, typeKind, isVirtual]) => [name, { typeSchema, type, typeKind, isVirtual }]),
    ),
    primaryKey: indexes.find(([isPrimary]) => isPrimary)?.[1] ?? [],
    indexes: indexes.map(([, columns]) => columns ?? []),
  };
}

function list<T>(json: string | null): readonly T[] {
  return json === null ? [] : JSON.parse(json) as T[];
}

import type { Transaction } from "../session/client.ts";

/** What the sequence of an identity column does that one without options would not. */
export interface IdentityOptions {
  readonly column: string;
  /** `START WITH 100 CYCLE`. */
  readonly options: string;
}

// $1 oid of a table. Its identity columns own their sequences; the defaults are those of an ascending sequence.
const IDENTITY_OPTIONS = `SELECT a.attname AS column, concat_ws(' ',
  CASE WHEN s.seqstart <> 1 THEN 'START WITH ' || s.seqstart END,
  CASE WHEN s.seqincrement <> 1 THEN 'INCREMENT BY ' || s.seqincrement END,
  CASE WHEN s.seqmin <> 1 THEN 'MINVALUE ' || s.seqmin END,
  CASE WHEN s.seqmax <> CASE s.seqtypid WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 ELSE 9223372036854775807 END
    THEN 'MAXVALUE ' || s.seqmax END,
  CASE WHEN s.seqcache <> 1 THEN 'CACHE ' || s.seqcache END,
  CASE WHEN s.seqcycle THEN 'CYCLE' END) AS options
FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i' AND d.refobjid = $1::oid
ORDER BY a.attnum`;

/** The identity columns of a table whose sequences have options, in the order of the columns. */
export async function readIdentityOptions(transaction: Transaction, oid: number): Promise<readonly IdentityOptions[]> {
  const rows = await transaction.query<IdentityOptions>(IDENTITY_OPTIONS, [String(oid)]);
  return rows.filter(({ options }) => options !== "").map(({ column, options }) => ({ column, options }));
}

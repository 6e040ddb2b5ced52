import { readRelation } from "./read.ts";
import type { RawRelation } from "./raw.ts";
import { OBSERVE_RELATIONS } from "./sql.ts";
import { emptyRelation, type Relation } from "./relation.ts";
import { FIXED, type Transaction } from "../session/client.ts";

export type * from "./relation.ts";

/** The namespace as the operator's role sees it. */
export interface SchemaAccess {
  readonly exists: boolean;
  readonly mayCreate: boolean;
}

/** Names and oids to look at; an oid finds a table that somebody renamed. */
export interface Wanted {
  readonly schema: string;
  readonly names: readonly string[];
  readonly oids: readonly number[];
}

/**
 * Reads every relation of those names and oids; one round trip. A type that holds one of the names is a relation of the
 * kind "type".
 */
export async function observeRelations(transaction: Transaction, wanted: Wanted): Promise<readonly Relation[]> {
  const { schema, names, oids } = wanted;
  const parameters = [schema, JSON.stringify(names), JSON.stringify(oids)];
  const rows = await transaction.query<{ readonly relation: string }>(OBSERVE_RELATIONS, parameters, FIXED);
  return rows.map((row) => {
    const raw = JSON.parse(row.relation) as RawRelation | { readonly typeName: string };
    if ("oid" in raw) return readRelation(raw);
    return { ...emptyRelation(schema, raw.typeName), kind: "type", ownedByRole: false };
  });
}

/** Whether a schema exists and the operator's role may create tables in it. */
export async function observeSchema(transaction: Transaction, schema: string): Promise<SchemaAccess> {
  const rows = await transaction.query<{ readonly may_create: boolean }>(
    "SELECT has_schema_privilege(oid, 'CREATE') AS may_create FROM pg_namespace WHERE nspname = $1",
    [schema],
    FIXED,
  );
  const [row] = rows;
  return { exists: row !== undefined, mayCreate: row?.may_create ?? false };
}

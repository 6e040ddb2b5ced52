import { tableOf } from "../catalog/observed.ts";
import { planTable } from "../plan/plan.ts";
import { adoptedTexts, type DeclaredPrints } from "./adopted_texts.ts";
import type { Members } from "../registry/members.ts";
import type { OwnedTable, Owner } from "../registry/registry.ts";
import type { Relation } from "../catalog/relation.ts";
import type { Transaction } from "../session/client.ts";
import type { Table } from "../table.ts";
import { TRUSTED_ROLES } from "../resolve/trusted_roles.ts";

/** Whether a table that nobody owns may become an object's. */
export type AdoptionPolicy = "Never" | "IfIdentical" | "IfCompatible";

/** A table that nobody owns, as its adopter would have it. */
export interface Adoptable {
  /** Why it must be left alone; empty for an ordinary table of the operator's own role. */
  readonly obstacles: readonly string[];
  /** What the registry would say of it: only what the spec names is taken. */
  readonly row: OwnedTable;
}

/** What a spec says about a table that is there already. */
export interface AdoptionIntent {
  readonly policy: AdoptionPolicy;
  /** Old name by new name. */
  readonly renames: ReadonlyMap<string, string>;
  /** Id of another cluster whose table of that name the object may take; absent: none. */
  readonly takeOver?: string | undefined;
  /** What the server stores for expressions of the spec; see `lookWithPrints()`. */
  readonly prints?: DeclaredPrints;
}

export interface Adopter {
  readonly owner: Owner;
  readonly desired: Table;
  readonly adoption?: AdoptionIntent;
}

// $1 oid. PostgreSQL's own functions are pinned: nothing is written down about who needs them.
const FOREIGN_CODE = `
WITH parts AS (
  SELECT 'pg_attrdef'::regclass AS classid, oid FROM pg_attrdef WHERE adrelid = $1::oid
  UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint WHERE conrelid = $1::oid
  UNION ALL SELECT 'pg_class'::regclass, indexrelid FROM pg_index WHERE indrelid = $1::oid
), used AS (
  SELECT DISTINCT d.refclassid AS classid, d.refobjid AS oid FROM parts p
  JOIN pg_depend d ON d.classid = p.classid AND d.objid = p.oid
  WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_opclass'::regclass)
)
SELECT 'role "' || pg_get_userbyid(c.relowner) || '" owns it' AS reason FROM pg_class c
WHERE c.oid = $1::oid AND c.relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
UNION ALL SELECT * FROM (
  SELECT 'it uses the ' || pg_describe_object(u.classid, u.oid, 0) FROM used u
  LEFT JOIN pg_proc f ON u.classid = 'pg_proc'::regclass AND f.oid = u.oid
  LEFT JOIN pg_operator o ON u.classid = 'pg_operator'::regclass AND o.oid = u.oid
  LEFT JOIN pg_opclass k ON u.classid = 'pg_opclass'::regclass AND k.oid = u.oid
  WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = u.classid AND e.objid = u.oid AND e.deptype = 'e')
    OR coalesce(f.proowner, o.oprowner, k.opcowner) NOT IN (${TRUSTED_ROLES})
  ORDER BY 1) AS code`;

/**
 * Looks at a table that nobody owns with the eyes of an object that would take it. Expressions are compared by what they
 * do, since nobody recorded how they were declared; from then on the registry knows.
 */
export async function observeAdoptable(
  transaction: Transaction,
  relation: Relation,
  adopter: Adopter,
): Promise<Adoptable> {
  const rows = await transaction.query<{ readonly reason: string }>(FOREIGN_CODE, [relation.oid]);
  const row = await rowOfAdopted(relation, adopter);
  return { obstacles: [...rows.map(({ reason }) => reason), ...attachmentsOf(relation)], row };
}

/** Altering the table would run them as us, or do less than it seems. */
function attachmentsOf({ triggers, policies, peculiarities }: Relation): readonly string[] {
  return [
    ...(triggers.length === 0 ? [] : [`it has triggers (${triggers.join(", ")})`]),
    ...(policies.length === 0 ? [] : [`it has policies (${policies.join(", ")})`]),
    ...peculiarities,
  ];
}

/** The row that adoption writes. Pure but for the parser. */
export async function rowOfAdopted(relation: Relation, { owner, desired, adoption }: Adopter): Promise<OwnedTable> {
  const everything: Members = {
    column: columnsOf(relation, desired, adoption?.renames ?? new Map()),
    constraint: relation.constraints.map(({ name }) => name),
    index: relation.indexes.map(({ name }) => name),
  };
  const row: OwnedTable = {
    id: "",
    schema: relation.schema,
    table: relation.name,
    oid: relation.oid,
    owner,
    specHash: "",
    origin: "adopted",
    members: everything,
    expressions: await adoptedTexts(relation, desired, adoption?.prints),
    fingerprint: "0",
    epochChanged: false,
  };
  return { ...row, members: { ...everything, ...pairedParts(relation, row, desired) } };
}

/** Columns that the spec names; an old name of one, too: a column must not be made beside the one that holds its data. */
function columnsOf(relation: Relation, desired: Table, renames: AdoptionIntent["renames"]): readonly string[] {
  const wanted = new Set([...desired.columns.map(({ name }) => name), ...renames.values()]);
  return relation.columns.map(({ name }) => name).filter((name) => wanted.has(name));
}

/** Constraints and indexes that do what one of the spec does: what a plan over all of them would not drop. */
function pairedParts(relation: Relation, row: OwnedTable, desired: Table): Pick<Members, "constraint" | "index"> {
  const observed = tableOf(relation, { row, desired });
  const surplus = new Set(
    planTable(desired, observed).flatMap((change) =>
      change.kind === "DropConstraint" || change.kind === "DropIndex" ? [`${change.kind} ${change.name}`] : []
    ),
  );
  const { primaryKey, uniques, checks, foreignKeys, indexes } = observed;
  const constraints = [...(primaryKey === undefined ? [] : [primaryKey]), ...uniques, ...checks, ...foreignKeys];
  const paired = (parts: readonly { readonly name?: string }[], kind: string) =>
    parts.flatMap(({ name }) => name === undefined || surplus.has(`${kind} ${name}`) ? [] : [name]);
  return { constraint: paired(constraints, "DropConstraint"), index: paired(indexes, "DropIndex") };
}

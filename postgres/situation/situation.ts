import { type Adoptable, type AdoptionIntent, observeAdoptable } from "./adoption.ts";
import { observeRelations, observeSchema, type Relation, type SchemaAccess } from "../catalog/catalog.ts";
import { tableOf } from "../catalog/observed.ts";
import type { PlanningBasis } from "../plan/planning_basis.ts";
import { withoutStored } from "../registry/foreign_text.ts";
import { findOwned, type OwnedQuery, type OwnedTable, type Owner } from "../registry/registry.ts";
import { FIXED, type Transaction } from "../session/client.ts";
import type { Table } from "../table.ts";
import type { Targets } from "../catalog/target.ts";
import { observeTargets } from "../catalog/target_catalog.ts";

/** The fingerprint of a row between its claim and its first record. */
const NEVER_RECORDED = "0";

/** What stands where a table is wanted. */
export type Situation =
  /** Nothing: the table can be made. `row` is the registry's, if it was made before and dropped by somebody. */
  | {
    readonly kind: "absent";
    readonly row: OwnedTable | undefined;
    readonly schema: SchemaAccess;
    readonly targets: Targets;
    readonly version: number;
  }
  /** Our table, perhaps still under its old name. */
  | {
    readonly kind: "owned";
    /** Nobody owned it, and the object's policy lets it be taken: the row is what the registry would say. */
    readonly adopting?: true;
    readonly row: OwnedTable;
    readonly relation: Relation;
    readonly basis: PlanningBasis;
    readonly targets: Targets;
    readonly version: number;
  }
  | { readonly kind: "conflict"; readonly conflict: Conflict };

/** Why a name cannot be used, as data; the words are the caller's. */
export type Conflict =
  | { readonly kind: "OwnedByOther"; readonly name: string; readonly owner: Owner; readonly sameCluster: boolean }
  | { readonly kind: "NotOwned"; readonly name: string }
  | { readonly kind: "NameTaken"; readonly name: string; readonly by: Relation["kind"] }
  | { readonly kind: "NotOrdinary"; readonly name: string; readonly reasons: readonly string[] }
  /** Nobody owns it, and it must be left alone whatever the policy is. */
  | { readonly kind: "NotAdoptable"; readonly name: string; readonly reasons: readonly string[] }
  /** The object had a table, and this database knows nothing of it. */
  | { readonly kind: "DatabaseChanged"; readonly name: string }
  /** The spec names another schema than the one in which the table was made, or somebody moved the table. */
  | { readonly kind: "OtherSchema"; readonly name: string; readonly madeIn: string; readonly isIn: string };

/** Who asks, and for what. */
export interface Claimant {
  readonly owner: Owner;
  readonly desired: Table;
  /** How a table that nobody owns may become this object's; absent: never. */
  readonly adoption?: AdoptionIntent;
}

interface Server {
  readonly version: number;
  readonly taken: readonly string[];
}

/** Finds rows of the registry. */
export type FindOwned = (transaction: Transaction, query: OwnedQuery) => Promise<readonly OwnedTable[]>;

/**
 * Looks at the registry and the catalog; no writes. One round trip, one more for a table that is not where the spec has it,
 * or that may be adopted.
 *
 * @param find For a database that has no registry yet, and must not get one: it finds nothing.
 */
export async function observeSituation(
  transaction: Transaction,
  claimant: Claimant,
  find: FindOwned = findOwned,
): Promise<Situation> {
  const { owner, desired } = claimant;
  const wanted = { schema: desired.schema, names: [desired.name], oids: [] };
  const [rows, atName, schema, targets, server] = await Promise.all([
    find(transaction, { owner, schema: desired.schema, table: desired.name }),
    observeRelations(transaction, wanted),
    observeSchema(transaction, desired.schema),
    observeTargets(transaction, desired.foreignKeys),
    observeServer(transaction, desired),
  ]);
  const row = ownRow(rows, claimant);
  const relations = row === undefined || isAmong(atName, row) ? atName : await observeRelations(transaction, {
    schema: row.schema,
    names: [desired.name, row.table],
    oids: row.oid === undefined ? [] : [row.oid],
  });
  const candidate = adoptionCandidate({ claimant, row, relations });
  const adoptable = candidate === undefined ? undefined : await observeAdoptable(transaction, candidate, claimant);
  return judgeSituation({ claimant, rows, row, relations, schema, targets, server, adoptable });
}

/**
 * $1 schema, from $2 to before $3. They stand in sub-selects so that a plan for any of them is as good as one for these: else
 * the server would make one each time.
 */
const OBSERVE_SERVER = `SELECT current_setting('server_version_num')::int4 / 10000 AS version,
  (SELECT jsonb_agg(t.name) FROM (
     SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = (SELECT to_regnamespace(quote_ident($1)))
       AND c.relname >= (SELECT $2::text::name) AND c.relname < (SELECT $3::text::name)
     UNION SELECT k.conname FROM pg_constraint k WHERE k.connamespace = (SELECT to_regnamespace(quote_ident($1)))
       AND k.conname >= (SELECT $2::text::name) AND k.conname < (SELECT $3::text::name)) t)::text AS taken`;

/** The version, and the names of relations and constraints that one made for a part of this table could meet. */
async function observeServer(transaction: Transaction, desired: Table): Promise<Server> {
  // A name that is made of a longer one keeps at least this much of it.
  const prefix = [...desired.name].slice(0, 24).join("");
  const [found] = await transaction.query<{ readonly version: number; readonly taken: string | null }>(
    OBSERVE_SERVER,
    [desired.schema, prefix, `${prefix}\u{10ffff}`],
    FIXED,
  );
  return { version: found?.version ?? 0, taken: JSON.parse(found?.taken ?? "[]") as string[] };
}

/** Whether what a row tells of was found under the wanted name; a row that never had a table tells of none. */
function isAmong(relations: readonly Relation[], row: OwnedTable): boolean {
  if (isNeverRecorded(row)) return true;
  return row.oid === undefined
    ? relations.some((each) => each.schema === row.schema && each.name === row.table)
    : relations.some((each) => each.oid === row.oid);
}

/**
 * A row belongs to an object by uid. An object of the same namespace and name under a new uid takes back the table that
 * the old one retained: the old one is gone, since two cannot have one name.
 */
export function ownRow(rows: readonly OwnedTable[], claimant: Claimant): OwnedTable | undefined {
  const { owner, desired } = claimant;
  const inCluster = rows.filter((row) => row.owner.clusterId === owner.clusterId);
  return inCluster.find((row) => row.owner.uid === owner.uid) ??
    inCluster.find((row) =>
      row.owner.namespace === owner.namespace && row.owner.name === owner.name && isNamed(row, desired)
    ) ?? rows.find((row) => isTakenOver(row, claimant) && isNamed(row, desired));
}

/** Of a cluster that is gone, as somebody says who may. */
function isTakenOver(row: OwnedTable, { owner, adoption }: Claimant): boolean {
  return row.owner.clusterId !== owner.clusterId && row.owner.clusterId === adoption?.takeOver;
}

function isNamed(row: OwnedTable, table: Pick<Table, "schema" | "name">): boolean {
  return row.schema === table.schema && row.table === table.name;
}

/** Whether a table that nobody owned is about to become the object's. */
export function isAdopting(situation: Situation): boolean {
  return situation.kind === "owned" && situation.adopting === true;
}

/** A row that was claimed and not yet recorded owns nothing. */
export function isNeverRecorded(row: OwnedTable): boolean {
  return row.fingerprint === NEVER_RECORDED;
}

/**
 * The row was recorded on another server, database or major version, and nobody has looked at its table since: its oid and its
 * stored texts say nothing here.
 */
export function isUnbound(row: OwnedTable): boolean {
  return row.oid === undefined && !isNeverRecorded(row);
}

/** The table at the wanted name, if this object has none and may take one that nobody owns. */
function adoptionCandidate({ claimant, row, relations }: {
  readonly claimant: Claimant;
  readonly row: OwnedTable | undefined;
  readonly relations: readonly Relation[];
}): Relation | undefined {
  const { desired, adoption } = claimant;
  if (adoption === undefined || adoption.policy === "Never" || (row !== undefined && !isNeverRecorded(row))) {
    return undefined;
  }
  return relations.find((each) =>
    each.kind === "table" && each.name === desired.name && each.schema === desired.schema
  );
}

/** The pure part: what was read, judged. */
export function judgeSituation(read: {
  readonly claimant: Claimant;
  readonly rows: readonly OwnedTable[];
  readonly row: OwnedTable | undefined;
  readonly relations: readonly Relation[];
  readonly schema: SchemaAccess;
  readonly targets: Targets;
  readonly server: Server;
  /** Of a table at the wanted name, if the object may take it. */
  readonly adoptable?: Adoptable | undefined;
}): Situation {
  const { claimant, row, adoptable } = read;
  const { owner, desired } = claimant;
  if (row !== undefined && row.schema !== desired.schema) {
    return conflict({ kind: "OtherSchema", name: row.table, madeIn: row.schema, isIn: row.schema });
  }
  const other = read.rows.find((each) => each.id !== row?.id && isNamed(each, desired));
  if (other !== undefined) {
    const sameCluster = other.owner.clusterId === owner.clusterId;
    return conflict({ kind: "OwnedByOther", name: desired.name, owner: other.owner, sameCluster });
  }
  if (row !== undefined && isLeftBehind(row, claimant)) return conflict({ kind: "NotOwned", name: row.table });
  if (adoptable !== undefined) return judgeAdoption(read, adoptable);
  const own = row === undefined ? undefined : findOwnRelation(row, read.relations);
  const atName = read.relations.find((each) => each.name === desired.name && each.schema === desired.schema);
  if (atName !== undefined && atName.oid !== own?.oid) return conflict(conflictOf(atName));
  if (own === undefined || row === undefined) {
    return { kind: "absent", row, schema: read.schema, targets: read.targets, version: read.server.version };
  }
  if (own.schema !== row.schema) {
    return conflict({ kind: "OtherSchema", name: own.name, madeIn: row.schema, isIn: own.schema });
  }
  if (!own.ownedByRole || own.peculiarities.length > 0) {
    const reasons = own.ownedByRole ? own.peculiarities : ["another role owns it", ...own.peculiarities];
    return conflict({ kind: "NotOrdinary", name: own.name, reasons });
  }
  return ownedSituation(read, row, own);
}

/**
 * A table that a predecessor of the object adopted and did not drop: to take it over again is to adopt it again, for
 * whoever made the predecessor may have been allowed what the maker of this object is not.
 */
function isLeftBehind(row: OwnedTable, claimant: Claimant): boolean {
  const { owner, adoption } = claimant;
  return !isTakenOver(row, claimant) && row.origin === "adopted" && row.owner.uid !== owner.uid &&
    (adoption?.policy ?? "Never") === "Never" &&
    !isNeverRecorded(row);
}

function judgeAdoption(read: Parameters<typeof judgeSituation>[0], { obstacles, row }: Adoptable): Situation {
  const relation = read.relations.find((each) => each.oid === row.oid);
  if (relation === undefined) return conflict({ kind: "NotOwned", name: row.table });
  if (obstacles.length > 0) return conflict({ kind: "NotAdoptable", name: row.table, reasons: obstacles });
  return { ...ownedSituation(read, row, relation), adopting: true };
}

function ownedSituation(
  { claimant, targets, server: { version, taken } }: Parameters<typeof judgeSituation>[0],
  row: OwnedTable,
  relation: Relation,
): Extract<Situation, { readonly kind: "owned" }> {
  const known = isUnbound(row) ? { ...row, expressions: withoutStored(row.expressions) } : row;
  const basis: PlanningBasis = {
    table: tableOf(relation, { row: known, desired: claimant.desired }),
    version,
    isEmpty: relation.relationBytes === 0,
    helpers: relation.helperChecks,
    columnNumbers: new Map(relation.columns.map((column) => [column.name, column.number])),
    takenNames: new Set(taken),
  };
  return { kind: "owned", row, relation, basis, targets, version };
}

/**
 * By oid while the registry knows one; by name after a restore, when oids mean nothing. A row that was claimed and never
 * recorded has made nothing yet: what stands under its name is somebody else's.
 */
function findOwnRelation(row: OwnedTable, relations: readonly Relation[]): Relation | undefined {
  if (isNeverRecorded(row)) return undefined;
  const own = row.oid === undefined
    ? relations.find((each) => each.schema === row.schema && each.name === row.table)
    : relations.find((each) => each.oid === row.oid);
  return own?.kind === "table" ? own : undefined;
}

function conflictOf(relation: Relation): Conflict {
  return relation.kind === "table"
    ? { kind: "NotOwned", name: relation.name }
    : { kind: "NameTaken", name: relation.name, by: relation.kind };
}

function conflict(conflict: Conflict): Situation {
  return { kind: "conflict", conflict };
}

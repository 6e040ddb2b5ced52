import {
  type AttachmentKind,
  definedOf,
  namesOf,
  type RawColumn,
  type RawConstraint,
  type RawRelation,
  type RawUser,
} from "./raw.ts";
import { readConstraint, readInboundKey } from "./read_constraint.ts";
import { readIndex } from "./read_index.ts";
import {
  type CatalogColumn,
  type CatalogConstraint,
  partHelperChecks,
  type Reader,
  type Relation,
  type RelationKind,
} from "./relation.ts";
import { PRINTED_IDENTIFIER, readIdentifier, requote } from "../text/printed_name.ts";

const KINDS: Readonly<Record<string, RelationKind>> = {
  r: "table",
  v: "view",
  m: "materialized view",
  f: "foreign table",
  p: "partitioned table",
  i: "index",
  I: "index",
  S: "sequence",
  c: "composite type",
  t: "TOAST table",
};

const REPLICA_IDENTITIES: Readonly<Record<string, Relation["replicaIdentity"]>> = {
  n: "Nothing",
  f: "Full",
  i: "Index",
};

/** Turns what the query wrote into a relation: lists by name, columns as they stand in the table. Pure. */
export function readRelation(raw: RawRelation): Relation {
  const { indexes, constraints } = { indexes: raw.indexes ?? [], constraints: raw.constraints ?? [] };
  const numbered = (raw.columns ?? []).toSorted((a, b) => a.number - b.number);
  const names = new Map(numbered.map(({ number, name }) => [number, name]));
  const columns = numbered.map((column) => readColumn(column, raw));
  const read = byName(
    constraints.filter((each) => each.type !== "n" && !isDropped(each)).map((each) =>
      readConstraint(each, names, indexes)
    ),
  );
  const owned = new Set(constraints.filter(({ type }) => "pux".includes(type)).map(({ index }) => index));
  return {
    oid: raw.oid,
    schema: readIdentifier(raw.schema),
    name: raw.name,
    kind: KINDS[raw.kind] ?? "composite type",
    ...definedOf({ indexOf: raw.indexOf, comment: raw.comments?.["0"] }),
    columns,
    ...partHelperChecks(read, columns),
    indexes: byName(
      indexes.filter((index) => !owned.has(index.oid) && index.definition !== null)
        .map((index) => readIndex(index, names)),
    ),
    ...readAttachments(raw),
    replicaIdentity: REPLICA_IDENTITIES[raw.replicaIdentity] ?? "Default",
    ownedByRole: raw.ownedByRole,
    peculiarities: peculiaritiesOf(raw),
    rowEstimate: raw.rowEstimate ?? undefined,
    totalBytes: raw.totalBytes ?? 0,
    relationBytes: raw.relationBytes ?? 0,
    inbound: byName((raw.users ?? []).flatMap((user) => readInboundKey(user, indexes))),
    readers: readReaders(raw.users ?? [], names, read),
  };
}

/** PostgreSQL prints what is there now, and its rows as they were when the query began: what went in between has no text. */
function isDropped({ foreignKey }: RawConstraint): boolean {
  return foreignKey !== null && foreignKey.definition === null;
}

function byName<T extends { readonly name: string }>(parts: readonly T[]): readonly T[] {
  return parts.toSorted((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

const OWN_TYPE = new RegExp(`^(${PRINTED_IDENTIFIER}\\.${PRINTED_IDENTIFIER})(\\(.*\\))?(\\[\\])?$`);

/** With only `pg_catalog` on the search path every other type is printed with its schema. */
function readType(text: string): string {
  const [, name, modifier = "", array = ""] = OWN_TYPE.exec(text) ?? [];
  return name === undefined ? text : `${requote(name)}${modifier}${array}`;
}

function readColumn(raw: RawColumn, relation: RawRelation): CatalogColumn {
  const { number, name, type, notNull, identity, generated, collation } = raw;
  const expression = relation.expressions?.[number];
  const constraint = relation.constraints?.find((each) => each.type === "n" && each.columns?.[0] === number);
  return {
    number,
    name,
    type: readType(type),
    notNull,
    notNullValidated: constraint?.validated ?? true,
    ...definedOf({
      notNullConstraint: constraint?.name,
      default: generated === "" ? expression : undefined,
      identity: identity === "" ? undefined : identity === "a" ? "Always" as const : "ByDefault" as const,
      generated: generated === "" ? undefined : expression,
      virtual: generated === "v" ? true as const : undefined,
      collation: collation === null ? undefined : requote(collation),
      comment: relation.comments?.[number],
    }),
  };
}

function readAttachments(
  { attachments }: RawRelation,
): Pick<Relation, "triggers" | "policies" | "statistics" | "inheritance" | "publications"> {
  const of = (wanted: AttachmentKind) =>
    (attachments ?? []).filter(([kind]) => kind === wanted).map(([, name]) => name).sort();
  return {
    triggers: of("trigger"),
    policies: of("policy"),
    statistics: of("statistics"),
    inheritance: of("inheritance"),
    publications: of("publication"),
  };
}

/** One entry a reader: the rows are one a column that it uses. */
function readReaders(
  users: readonly RawUser[],
  names: ReadonlyMap<number, string>,
  constraints: readonly CatalogConstraint[],
): readonly Reader[] {
  const readers = Map.groupBy(users.filter((user) => user.foreignKey === null), readerName);
  return byName(
    [...readers].map(([name, uses]) => ({
      kind: readerKind(uses[0]),
      name,
      columns: namesOf([...new Set(uses.map(({ column }) => column))].sort((a, b) => a - b), names),
      constraints: constraints.filter(({ oid }) => uses.some((use) => use.constraint === oid)).map((each) => each.name),
    })),
  );
}

function readerName({ table, rule, function: name }: RawUser): string {
  return name ?? (rule === "_RETURN" ? table ?? "" : `${table} ${rule}`);
}

function readerKind(use: RawUser | undefined): Reader["kind"] {
  if (typeof use?.function === "string") return "function";
  if (use?.rule !== "_RETURN") return "rule";
  return use.kind === "m" ? "materialized view" : "view";
}

function peculiaritiesOf(raw: RawRelation): readonly string[] {
  const { persistence, related, rowSecurity, rules, attachments } = raw;
  const isRelated = related || attachments?.some(([kind]) => kind === "inheritance") === true;
  return [
    ...(persistence === "p" ? [] : [persistence === "t" ? "it is temporary" : "it is unlogged"]),
    ...(isRelated ? ["it takes part in inheritance or partitioning"] : []),
    ...(rowSecurity ? ["it has row security"] : []),
    ...(rules ? ["it has rules"] : []),
  ];
}

import { definedOf, namesOf, type RawColumn, type RawReader, type RawRelation } from "./catalog_raw.ts";
import { readConstraint, readInboundKey } from "./catalog_read_constraint.ts";
import { readIndex } from "./catalog_read_index.ts";
import {
  type CatalogColumn,
  type CatalogConstraint,
  partHelperChecks,
  type Reader,
  type Relation,
  type RelationKind,
} from "./relation.ts";
import { PRINTED_IDENTIFIER, readIdentifier, requote } from "./text/printed_name.ts";

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

/** Turns what the query wrote into a relation. Pure. */
export function readRelation(raw: RawRelation): Relation {
  const indexes = raw.indexes ?? [];
  const names = new Map((raw.columns ?? []).map(({ number, name }) => [number, name]));
  const columns = (raw.columns ?? []).map((column) => readColumn(column, raw));
  const constraints = (raw.constraints ?? []).filter(({ type }) => type !== "n")
    .map((constraint) => readConstraint(constraint, names, indexes));
  const owned = new Set((raw.constraints ?? []).filter(({ type }) => "pux".includes(type)).map(({ index }) => index));
  return {
    oid: raw.oid,
    schema: readIdentifier(raw.schema),
    name: raw.name,
    kind: KINDS[raw.kind] ?? "composite type",
    ...definedOf({ indexOf: raw.indexOf, comment: raw.comments?.["0"] }),
    columns,
    ...partHelperChecks(constraints, columns),
    indexes: indexes.filter(({ oid }) => !owned.has(oid)).map((index) => readIndex(index, names)),
    triggers: raw.triggers ?? [],
    policies: raw.policies ?? [],
    statistics: raw.statistics ?? [],
    inheritance: raw.inheritance ?? [],
    publications: raw.publications ?? [],
    replicaIdentity: REPLICA_IDENTITIES[raw.replicaIdentity] ?? "Default",
    ownedByRole: raw.ownedByRole,
    peculiarities: peculiaritiesOf(raw),
    rowEstimate: raw.rowEstimate,
    totalBytes: raw.totalBytes ?? 0,
    relationBytes: raw.relationBytes ?? 0,
    inbound: (raw.inbound ?? []).map((key) => readInboundKey(key, indexes)),
    readers: readReaders(raw.readers ?? [], names, constraints),
  };
}

const OWN_TYPE = new RegExp(`^(${PRINTED_IDENTIFIER}\\.${PRINTED_IDENTIFIER})(\\(.*\\))?(\\[\\])?$`);

/** With only `pg_catalog` on the search path every other type is printed with its schema. */
function readType(text: string): string {
  const [, name, modifier = "", array = ""] = OWN_TYPE.exec(text) ?? [];
  return name === undefined ? text : `${requote(name)}${modifier}${array}`;
}

function readColumn({ number, name, type, notNull, ...raw }: RawColumn, relation: RawRelation): CatalogColumn {
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
      default: raw.generated === undefined ? expression : undefined,
      identity: raw.identity === undefined
        ? undefined
        : raw.identity === "a"
        ? "Always" as const
        : "ByDefault" as const,
      generated: raw.generated === undefined ? undefined : expression,
      virtual: raw.generated === "v" ? true as const : undefined,
      collation: raw.collation === undefined ? undefined : requote(raw.collation),
      comment: relation.comments?.[number],
    }),
  };
}

/** One entry a reader: the rows are one a column that it uses. */
function readReaders(
  rows: readonly RawReader[],
  names: ReadonlyMap<number, string>,
  constraints: readonly CatalogConstraint[],
): readonly Reader[] {
  const readers = Map.groupBy(rows, ({ relation = "", rule, function: name = "" }) => {
    const isRule = rule !== undefined && rule !== "_RETURN";
    return isRule ? `${relation} ${rule}` : relation + name;
  });
  return [...readers].map(([name, uses]) => ({
    kind: readerKind(uses[0]),
    name,
    columns: namesOf([...new Set(uses.map(({ column }) => column))], names),
    constraints: constraints.filter(({ oid }) => uses.some((use) => use.constraint === oid)).map((each) => each.name),
  }));
}

function readerKind(use: RawReader | undefined): Reader["kind"] {
  if (use?.function !== undefined) return "function";
  if (use?.rule !== "_RETURN") return "rule";
  return use.kind === "m" ? "materialized view" : "view";
}

function peculiaritiesOf(raw: RawRelation): readonly string[] {
  const { persistence, isPartition, isTyped, hadChildren, inheritance = [] } = raw;
  const isRelated = isPartition || isTyped || hadChildren || inheritance.length > 0;
  return [
    ...(persistence === "p" ? [] : [persistence === "t" ? "it is temporary" : "it is unlogged"]),
    ...(isRelated ? ["it takes part in inheritance or partitioning"] : []),
    ...(raw.rowSecurity ? ["it has row security"] : []),
    ...(raw.rules ? ["it has rules"] : []),
  ];
}

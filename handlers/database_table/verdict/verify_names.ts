import { nameOf } from "../../../postgres/plan/part_names.ts";
import { type FieldError, invalid } from "../../../crds/field_error.ts";
import { observeRelations } from "../../../postgres/catalog/catalog.ts";
import type { SchemaChange } from "../../../postgres/change.ts";
import type { PlannedTable } from "../../../postgres/plan/planning.ts";
import type { Transaction } from "../../../postgres/session/client.ts";
import type { Situation } from "../../../postgres/situation/situation.ts";
import type { DesiredTable } from "../spec/desired.ts";

/** Names that a plan gives to constraints and indexes, by what they must differ from. */
interface GivenNames {
  /** Of indexes and of constraints that have one: no other relation of the schema may have it. */
  readonly relations: ReadonlySet<string>;
  /** Of constraints: no other constraint of the table may have it. */
  readonly constraints: ReadonlySet<string>;
}

/** Names of constraints and indexes that something else has already. What the plan takes away before is no obstacle. */
export async function nameFaults(
  transaction: Transaction,
  desired: DesiredTable,
  { plan, situation }: { readonly plan: PlannedTable; readonly situation: Situation },
): Promise<readonly FieldError[]> {
  const given = givenNames(plan);
  const freed = new Set(plan.changes.flatMap(freedName));
  const ofTable = takenConstraints(situation).filter(({ name }) => given.constraints.has(name) && !freed.has(name));
  const others = await takenRelations(transaction, [...given.relations].filter((name) => !freed.has(name)), desired);
  const known = new Set(ofTable.map(({ name }) => name));
  return [...ofTable, ...others.filter(({ name }) => !known.has(name))].map(({ name, by }) =>
    invalid(pathOf(name, desired), `"${name}" is the name of ${by}: choose another name`)
  );
}

interface Taken {
  readonly name: string;
  readonly by: string;
}

function givenNames({ changes, observed }: PlannedTable): GivenNames {
  const relations: (string | undefined)[] = [];
  const constraints: (string | undefined)[] = [];
  const keys = [observed?.primaryKey, ...observed?.uniques ?? []].map((key) => key?.name);
  for (const change of changes) {
    const name = givenName(change);
    if (change.kind === "CreateTable") {
      relations.push(change.table.primaryKey?.name, ...change.table.uniques.map((unique) => unique.name));
    } else if (change.kind === "AddCheck" || change.kind === "AddForeignKey") {
      constraints.push(name);
    } else if (change.kind === "CreateIndex" || change.kind === "RenameIndex") {
      relations.push(name);
    } else {
      constraints.push(name);
      if (change.kind !== "RenameConstraint" || keys.includes(change.from)) relations.push(name);
    }
  }
  return { relations: defined(relations), constraints: defined(constraints) };
}

function defined(names: readonly (string | undefined)[]): ReadonlySet<string> {
  return new Set(names.filter((name) => name !== undefined));
}

/** Of a name that was not there before. */
function givenName(change: SchemaChange): string | undefined {
  switch (change.kind) {
    case "RebuildIndex":
      return change.index.name === change.name ? undefined : change.index.name;
    case "AttachIndex":
      // The index has the name already: we built it for this.
      return change.name === change.index ? undefined : change.name;
    default:
      return nameOf(change);
  }
}

function freedName(change: SchemaChange): readonly string[] {
  switch (change.kind) {
    case "DropConstraint":
    case "DropIndex":
      return [change.name];
    case "RenameConstraint":
    case "RenameIndex":
      return [change.from];
    case "AttachIndex":
      // It takes the constraint's name.
      return [change.index];
    default:
      return [];
  }
}

function takenConstraints(situation: Situation): readonly Taken[] {
  if (situation.kind !== "owned") return [];
  const { constraints, columns } = situation.relation;
  return [
    ...constraints.map(({ name, kind }) => ({ name, by: `a ${kind} constraint of the table` })),
    ...columns.flatMap(({ notNullConstraint: name }) =>
      name === undefined ? [] : [{ name, by: "a NOT NULL constraint of the table" }]
    ),
  ];
}

async function takenRelations(
  transaction: Transaction,
  names: readonly string[],
  { table }: DesiredTable,
): Promise<readonly Taken[]> {
  if (names.length === 0 || table === undefined) return [];
  const relations = await observeRelations(transaction, { schema: table.schema, names, oids: [] });
  // An index may have the name of a type.
  return relations.filter(({ name, kind }) => names.includes(name) && kind !== "type")
    .map(({ name, kind, indexOf }) => ({ name, by: indexOf === undefined ? `a ${kind}` : `an index of ${indexOf}` }));
}

function pathOf(name: string, { table, paths }: DesiredTable): string {
  const lists = [
    [table?.uniques, paths.uniques],
    [table?.checks, paths.checks],
    [table?.foreignKeys, paths.foreignKeys],
    [table?.indexes, paths.indexes],
  ] as const;
  for (const [parts, places] of lists) {
    const place = places[(parts ?? []).findIndex((part) => part.name === name)];
    if (place !== undefined) return `${place}.name`;
  }
  return "spec";
}

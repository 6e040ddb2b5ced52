import type { SchemaChange } from "../change.ts";
import { objectName } from "../object_name.ts";
import type { Check, Index } from "../table.ts";
import { type ExpressionShapes, NO_SHAPE } from "../text/expression_shape.ts";
import type { StepContext } from "./operation.ts";

/** What a generated name is made of, beside the table's. */
export interface NameParts {
  readonly columns: readonly string[];
  readonly label: string;
}

/** PostgreSQL names a check by the column that it is about, if that is one. */
export function partsOfCheck({ expression }: Check, shapes: ExpressionShapes): NameParts {
  const { columns } = shapes.get(expression) ?? NO_SHAPE;
  return { columns: columns.length === 1 ? columns : [], label: "check" };
}

/** PostgreSQL names an index by its keys and what it includes; a name that comes again gets a number. */
export function partsOfIndex({ keys, include }: Index, shapes: ExpressionShapes): NameParts {
  const columns: string[] = [];
  const labels = keys.map(({ column, expression }) => column ?? (shapes.get(expression ?? "") ?? NO_SHAPE).label);
  for (const label of [...labels, ...include]) {
    let name = label;
    for (let number = 1; columns.includes(name); number++) name = `${label}${number}`;
    columns.push(name);
  }
  return { columns, label: "idx" };
}

/**
 * The names of the parts that a plan makes. A part whose place is still taken by the one that it replaces is built under a
 * name of its own, and gets the right one when the old part goes. A plan that is made again behind any step finds the same
 * names: it must be the rest of the one before.
 */
export class PartNames {
  readonly #table: string;
  /** Names that are there while indexes are built. */
  readonly #standing: ReadonlySet<string>;
  /** Those of them that go when the new parts take their places. */
  readonly #going: ReadonlySet<string>;
  /** Names that this plan gives, now or at its end. */
  readonly #reserved: Set<string>;

  constructor(changes: readonly SchemaChange[], context: StepContext, going: ReadonlySet<string>) {
    this.#table = context.desired.name;
    this.#going = going;
    this.#standing = standingNames(changes, context, going);
    this.#reserved = new Set(changes.flatMap(wantedName));
  }

  /**
   * What a key that nobody named is called in the end: as PostgreSQL would call it if the table were made now.
   *
   * @param index That becomes the key: its own name is free for it.
   */
  ofKey(parts: NameParts, index?: string): string {
    const standing = [...this.#standing].filter((name) => !this.#going.has(name) && name !== index);
    return this.#reserve(objectName({ table: this.#table, ...parts }, new Set([...standing, ...this.#reserved])));
  }

  /** What a part that nobody named is called from its beginning. */
  ofPart(parts: NameParts): string {
    return this.#reserve(
      objectName({ table: this.#table, ...parts }, new Set([...this.#standing, ...this.#reserved])),
    );
  }

  /** What an index is called while it is built: as it is called in the end, if nothing stands there. */
  whileBuilt(name: string, parts: NameParts): string {
    return this.#standing.has(name) ? this.ofPart(parts) : name;
  }

  #reserve(name: string): string {
    this.#reserved.add(name);
    return name;
  }
}

function standingNames(
  changes: readonly SchemaChange[],
  context: StepContext,
  going: ReadonlySet<string>,
): Set<string> {
  const { observed, takenNames } = context;
  const parts = observed === undefined
    ? []
    : [observed.primaryKey, ...observed.uniques, ...observed.checks, ...observed.foreignKeys, ...observed.indexes];
  const names = new Set([...takenNames, ...parts.flatMap((part) => part?.name ?? [])]);
  for (const { name } of observed?.unmanaged ?? []) names.add(name);
  for (const change of changes) {
    switch (change.kind) {
      case "DropIndex":
      case "DropConstraint":
      case "RebuildIndex":
        if (!going.has(change.name)) names.delete(change.name);
        break;
      case "RenameConstraint":
      case "RenameIndex":
        if (!going.has(change.from)) names.delete(change.from);
        break;
      default:
        break;
    }
  }
  return names;
}

/** The name that a change gives, as the spec says it. */
function wantedName(change: SchemaChange): readonly string[] {
  const name = nameOf(change);
  return name === undefined ? [] : [name];
}

/** The name that a constraint or an index has after a change; `undefined` if nobody chose one, or for other changes. */
export function nameOf(change: SchemaChange): string | undefined {
  switch (change.kind) {
    case "RenameConstraint":
    case "RenameIndex":
      return change.to;
    case "CreateIndex":
    case "RebuildIndex":
      return change.index.name;
    case "AddCheck":
      return change.check.name;
    case "AddUnique":
      return change.unique.name;
    case "AddPrimaryKey":
      return change.key.name;
    case "AddForeignKey":
      return change.foreignKey.name;
    case "AttachIndex":
      return change.name;
    default:
      return undefined;
  }
}

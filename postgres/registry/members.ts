import type { Relation } from "../catalog/relation.ts";

/** What we made of a table; only this is ever dropped. */
export interface Members {
  readonly column: readonly string[];
  readonly constraint: readonly string[];
  /** Without the indexes of constraints. */
  readonly index: readonly string[];
}

export type MemberKind = keyof Members;

export const NO_MEMBERS: Members = { column: [], constraint: [], index: [] };

/**
 * What we made: the members before, with what this step added (names that PostgreSQL chose are read back by comparing),
 * without what is gone. What somebody else added by hand stood there before, and never becomes a member: `before` must be
 * read when nobody else can change the table any more.
 *
 * @example The key's name was chosen by PostgreSQL
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { emptyRelation } from "../catalog/relation.ts";
 * const column = { number: 1, name: "id", type: "integer", notNull: true, notNullValidated: true };
 * const after = { ...emptyRelation("public", "t"), columns: [column] };
 * assertEquals(nextMembers(NO_MEMBERS, undefined, after).column, ["id"]);
 * assertEquals(nextMembers(NO_MEMBERS, after, after).column, []);
 * ```
 */
export function nextMembers(members: Members, before: Relation | undefined, after: Relation): Members {
  const was = namesOf(before);
  const is = namesOf(after);
  const next = (kind: MemberKind) =>
    is[kind].filter((name) => members[kind].includes(name) || !was[kind].includes(name));
  return { column: next("column"), constraint: next("constraint"), index: next("index") };
}

function namesOf(relation: Relation | undefined): Members {
  return {
    column: relation?.columns.map(({ name }) => name) ?? [],
    constraint: relation?.constraints.map(({ name }) => name) ?? [],
    index: relation?.indexes.map(({ name }) => name) ?? [],
  };
}

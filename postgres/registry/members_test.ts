import { assertEquals } from "@std/assert";
import { emptyRelation, type Relation } from "../catalog/relation.ts";
import { type Members, nextMembers, NO_MEMBERS } from "./members.ts";

function relation(names: Members): Relation {
  return {
    ...emptyRelation("public", "users"),
    columns: names.column.map((name, number) => ({
      number,
      name,
      type: "text",
      notNull: false,
      notNullValidated: true,
    })),
    constraints: names.constraint.map((name, oid) => ({
      oid,
      name,
      kind: "check",
      columns: [],
      validated: true,
      enforced: true,
      deferrable: "No",
    })),
    indexes: names.index.map((name, oid) => ({
      oid,
      name,
      unique: false,
      nullsNotDistinct: false,
      valid: true,
      ready: true,
      building: false,
      method: "btree",
      keys: [],
      include: [],
    })),
  };
}

const USERS: Members = { column: ["id", "name"], constraint: ["users_pkey"], index: ["users_name_idx"] };

Deno.test("nextMembers() takes everything of a table that was not there before", () => {
  assertEquals(nextMembers(NO_MEMBERS, undefined, relation(USERS)), USERS);
});

Deno.test("nextMembers() takes what a step added, under the name that PostgreSQL chose", () => {
  const after = { ...USERS, constraint: ["users_check1", "users_pkey"], column: ["id", "name", "email"] };
  assertEquals(nextMembers(USERS, relation(USERS), relation(after)), after);
});

Deno.test("nextMembers() forgets what is gone and follows a rename", () => {
  const after: Members = { column: ["id", "login"], constraint: ["users_pkey"], index: [] };
  assertEquals(nextMembers(USERS, relation(USERS), relation(after)), after);
});

Deno.test("nextMembers() never takes what somebody else made before", () => {
  const byHand: Members = { column: ["note"], constraint: ["note_check"], index: ["note_idx"] };
  const both = relation({
    column: [...USERS.column, ...byHand.column],
    constraint: [...USERS.constraint, ...byHand.constraint],
    index: [...USERS.index, ...byHand.index],
  });
  assertEquals(nextMembers(USERS, both, both), USERS);
});

Deno.test("nextMembers() keeps an index that was announced before it was built", () => {
  const announced = { ...USERS, index: [...USERS.index, "users_new_idx"] };
  assertEquals(nextMembers(announced, relation(announced), relation(announced)), announced);
});

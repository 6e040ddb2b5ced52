import { assertEquals } from "@std/assert";
import { rowOfAdopted } from "./adoption.ts";
import { emptyRelation, type Relation } from "../catalog/relation.ts";
import { emptyTable, type Table } from "../table.ts";

const OWNER = { clusterId: "c", namespace: "n", name: "a", uid: "u", generation: 1 };
const CONSTRAINT = { validated: true, enforced: true, deferrable: "No" } as const;
const COLUMN = { type: "text", notNull: false, notNullValidated: true };

const RELATION: Relation = {
  ...emptyRelation("public", "t"),
  oid: 7,
  columns: [
    { ...COLUMN, number: 1, name: "id" },
    { ...COLUMN, number: 2, name: "a", default: "'x'::text" },
    { ...COLUMN, number: 3, name: "by_hand", default: "'y'::text" },
  ],
  constraints: [
    { ...CONSTRAINT, oid: 1, name: "t_pkey", kind: "primary key", columns: ["id"] },
    { ...CONSTRAINT, oid: 2, name: "t_check", kind: "check", columns: ["a"], expression: "(a <> ''::text)" },
    { ...CONSTRAINT, oid: 3, name: "hand", kind: "check", columns: ["id"], expression: "(id <> ''::text)" },
    { ...CONSTRAINT, oid: 4, name: "hand_key", kind: "unique", columns: ["by_hand"] },
  ],
};

const DESIRED: Table = {
  ...emptyTable("public", "t"),
  columns: [{ name: "id", type: "text", notNull: true }, { name: "a", type: "text", notNull: false, default: "'x'" }],
  primaryKey: { columns: ["id"] },
  checks: [{ expression: "a <> ''", validated: true }],
};

Deno.test("rowOfAdopted() takes only what the spec names, and what does the same", async () => {
  const { members, expressions, origin, oid } = await rowOfAdopted(RELATION, { owner: OWNER, desired: DESIRED });
  assertEquals([origin, oid], ["adopted", 7]);
  assertEquals(members, { column: ["id", "a"], constraint: ["t_pkey", "t_check"], index: [] });
  assertEquals(expressions, {
    "default/a": ["'x'", "'x'::text"],
    "check/t_check": ["a <> ''", "(a <> ''::text)"],
  });
});

Deno.test("rowOfAdopted() takes no key that the spec wants otherwise, and sees the old name of a column", async () => {
  const desired = { ...DESIRED, primaryKey: { columns: ["a"] }, checks: [] };
  const adoption = { policy: "IfCompatible", renames: new Map([["b", "by_hand"]]) } as const;
  const { members } = await rowOfAdopted(RELATION, { owner: OWNER, desired, adoption });
  assertEquals(members, { column: ["id", "a", "by_hand"], constraint: [], index: [] });
});

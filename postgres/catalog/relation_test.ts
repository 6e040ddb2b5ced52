import { assertEquals } from "@std/assert";
import { type CatalogColumn, type CatalogConstraint, helperCheckName, partHelperChecks } from "./relation.ts";

const EMAIL: CatalogColumn = { number: 3, name: "email", type: "text", notNull: false, notNullValidated: true };
const CHECK: CatalogConstraint = {
  oid: 1,
  name: "tablewright_nn_3",
  kind: "check",
  columns: ["email"],
  validated: false,
  enforced: true,
  deferrable: "No",
  expression: "(email IS NOT NULL)",
};

Deno.test("partHelperChecks() finds the check that we make for a column", () => {
  assertEquals(helperCheckName(EMAIL), CHECK.name);
  assertEquals(partHelperChecks([CHECK], [EMAIL]), {
    constraints: [],
    helperChecks: [{ name: "tablewright_nn_3", column: "email", validated: false }],
  });
});

Deno.test("partHelperChecks() is not deceived by a check that only has the name", () => {
  const others: readonly CatalogConstraint[] = [
    { ...CHECK, expression: "(email <> ''::text)" },
    { ...CHECK, name: "tablewright_nn_4" },
    { ...CHECK, columns: ["email", "name"] },
    { ...CHECK, kind: "unique" },
  ];
  for (const other of others) assertEquals(partHelperChecks([other], [EMAIL]).constraints, [other]);
});

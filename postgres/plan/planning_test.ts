import { assertEquals } from "@std/assert";
import { planAgainst } from "./planning.ts";
import type { PlanningBasis } from "./planning_basis.ts";
import { emptyTable, type Table } from "../table.ts";

const SEEN = { targets: undefined, version: 18 };

function table(parts: Partial<Table>): Table {
  return { ...emptyTable("public", "t"), primaryKey: { name: "t_pkey", columns: ["id"] }, ...parts };
}

function basis(observed: Table): PlanningBasis {
  return {
    table: observed,
    version: 18,
    isEmpty: false,
    helpers: [],
    columnNumbers: new Map(observed.columns.map(({ name }, index) => [name, index + 1])),
    takenNames: new Set(),
  };
}

const column = (name: string, notNull = false) => ({ name, type: "integer", notNull });

Deno.test("planAgainst() knows renamed columns by their numbers on the way to NOT NULL", async () => {
  const observed = table({ columns: [column("id", true), column("a"), column("b")] });
  const desired = table({ columns: [column("id", true), column("n", true), column("m", true)] });
  const renames = new Map([["n", "a"], ["m", "b"]]);
  const wanted = { desired, renames, using: new Map(), online: "Prefer" } as const;
  const { steps } = await planAgainst(wanted, basis(observed), SEEN);
  assertEquals(steps[0]?.statements.map(({ sql }) => sql.replace(`ALTER TABLE "public"."t" `, "")), [
    `RENAME COLUMN "a" TO "n"`,
    `RENAME COLUMN "b" TO "m"`,
    `ADD CONSTRAINT "tablewright_nn_2" CHECK ("n" IS NOT NULL) NOT VALID`,
    `ADD CONSTRAINT "tablewright_nn_3" CHECK ("m" IS NOT NULL) NOT VALID`,
  ]);
});

Deno.test("planAgainst() renames a table that refers to itself and leaves its keys alone", async () => {
  const observed = table({
    columns: [column("id", true), column("a")],
    foreignKeys: [{
      name: "t_a_fkey",
      columns: ["a"],
      references: { schema: "public", table: "t", columns: ["id"] },
      onDelete: "NoAction",
      onUpdate: "NoAction",
      deferrable: "No",
      validated: true,
    }],
  });
  const foreignKeys = observed.foreignKeys.map((key) => ({ ...key, references: { ...key.references, table: "u" } }));
  const desired = { ...observed, name: "u", foreignKeys };
  const wanted = { desired, renames: new Map(), using: new Map(), online: "Prefer" } as const;
  const { changes } = await planAgainst(wanted, basis(observed), SEEN);
  assertEquals(changes, [{ kind: "RenameTable", from: "t", to: "u" }]);
});

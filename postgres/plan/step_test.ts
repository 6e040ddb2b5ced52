import { assertEquals } from "@std/assert";
import { planTable } from "./plan.ts";
import { planSteps, type Step } from "./step.ts";
import type { StepContext } from "./operation.ts";
import { type Column, emptyTable, type ForeignKey, type Index, type Table } from "../table.ts";

const ID: Column = { name: "id", type: "integer", notNull: true };
const EMAIL: Column = { name: "email", type: "text", notNull: false };

function table(parts: Partial<Table> = {}): Table {
  return {
    ...emptyTable("public", "users"),
    columns: [ID, EMAIL],
    primaryKey: { name: "users_pkey", columns: ["id"] },
    ...parts,
  };
}

function steps(desired: Table, observed: Table | undefined, context: Partial<StepContext> = {}): readonly Step[] {
  return planSteps(planTable(desired, observed), {
    desired,
    observed,
    version: 18,
    online: "Prefer",
    isEmpty: false,
    helpers: [],
    columnNumbers: new Map([["id", 1], ["email", 2]]),
    takenNames: new Set(["users_pkey"]),
    shapes: new Map(),
    ...context,
  });
}

/** Each step as its kind and what its statements do, without the table's name. */
function outline(plan: readonly Step[]): readonly string[] {
  return plan.map(({ kind, statements }) =>
    `${kind}: ${statements.map(({ sql }) => sql.replace(/^ALTER TABLE \S+ /, "")).join("; ")}`
  );
}

const FOREIGN_KEY: ForeignKey = {
  columns: ["id"],
  references: { schema: "public", table: "people", columns: ["id"] },
  onDelete: "NoAction",
  onUpdate: "NoAction",
  deferrable: "No",
  validated: true,
};

Deno.test("planSteps() makes a table in one transaction and each foreign key in one of its own", () => {
  const other = { ...FOREIGN_KEY, references: { ...FOREIGN_KEY.references, table: "pets" } };
  const plan = steps(table({ foreignKeys: [FOREIGN_KEY, other] }), undefined);
  assertEquals(plan.map(({ changes }) => changes.map(({ kind }) => kind)), [
    ["CreateTable"],
    ["AddForeignKey"],
    ["AddForeignKey"],
  ]);
  assertEquals(plan.flatMap(({ statements }) => statements.map(({ sql }) => sql.includes("NOT VALID"))), [
    false,
    false,
    false,
  ]);
});

Deno.test("planSteps() gets to NOT NULL through a validated check on a table with rows", () => {
  const desired = table({ columns: [ID, { ...EMAIL, notNull: true }] });
  assertEquals(outline(steps(desired, table())), [
    `Transaction: ADD CONSTRAINT "tablewright_nn_2" CHECK ("email" IS NOT NULL) NOT VALID`,
    `Transaction: VALIDATE CONSTRAINT "tablewright_nn_2"`,
    `Transaction: ALTER COLUMN "email" SET NOT NULL; DROP CONSTRAINT "tablewright_nn_2"`,
  ]);
});

Deno.test("planSteps() goes on where a crash left it on the way to NOT NULL", () => {
  const desired = table({ columns: [ID, { ...EMAIL, notNull: true }] });
  const helper = { column: "email", name: "tablewright_nn_2" };
  assertEquals(outline(steps(desired, table(), { helpers: [{ ...helper, validated: false }] })), [
    `Transaction: VALIDATE CONSTRAINT "tablewright_nn_2"`,
    `Transaction: ALTER COLUMN "email" SET NOT NULL; DROP CONSTRAINT "tablewright_nn_2"`,
  ]);
  assertEquals(outline(steps(desired, table(), { helpers: [{ ...helper, validated: true }] })), [
    `Transaction: ALTER COLUMN "email" SET NOT NULL; DROP CONSTRAINT "tablewright_nn_2"`,
  ]);
  assertEquals(outline(steps(table(), table(), { helpers: [{ ...helper, validated: true }] })), [
    `Transaction: DROP CONSTRAINT "tablewright_nn_2"`,
  ]);
});

Deno.test("planSteps() leaves a helper to the column that takes it with it", () => {
  const helpers = [{ column: "email", name: "tablewright_nn_2", validated: true }];
  for (const online of ["Prefer", "Never"] as const) {
    assertEquals(outline(steps(table({ columns: [ID] }), table(), { helpers, online })), [
      `Transaction: DROP COLUMN "email"`,
    ]);
  }
});

Deno.test("planSteps() attaches a key behind NOT NULL, and the rest of a plan is what was planned", () => {
  const desired = table({ columns: [ID, { ...EMAIL, notNull: true }], primaryKey: { columns: ["email"] } });
  const whole = outline(steps(desired, table()));
  const index = {
    name: "users_pkey1",
    unique: true,
    nullsNotDistinct: false,
    method: "btree",
    keys: [{ column: "email", order: "Ascending", nulls: "Last" }],
    include: [],
    valid: true,
  } as const;
  const takenNames = new Set(["users_pkey", "users_pkey1"]);
  const helpers = [{ column: "email", name: "tablewright_nn_2", validated: true }];
  assertEquals(outline(steps(desired, table({ indexes: [index] }), { helpers, takenNames })), whole.slice(-1));
});

Deno.test("planSteps() keeps the old key, and the column in it, until the new one is there", () => {
  const desired = table({ columns: [{ ...EMAIL, notNull: true }], primaryKey: { columns: ["email"] } });
  const observed = table({ columns: [ID, { ...EMAIL, notNull: true }] });
  assertEquals(outline(steps(desired, observed)), [
    `Concurrent: CREATE UNIQUE INDEX CONCURRENTLY "users_pkey1" ON "public"."users" USING "btree" ("email")`,
    `Transaction: DROP CONSTRAINT "users_pkey"; ADD CONSTRAINT "users_pkey" PRIMARY KEY USING INDEX "users_pkey1"; ` +
    `DROP COLUMN "id"`,
  ]);
});

Deno.test("planSteps() keeps a constraint until its successor is there, also when a check gets its name", () => {
  const unique = { name: "u", columns: ["email"], nullsNotDistinct: false };
  const desired = table({
    uniques: [{ name: "v", columns: ["id"], nullsNotDistinct: false }],
    checks: [{ name: "u", expression: "id > 0", validated: true }],
  });
  assertEquals(outline(steps(desired, table({ uniques: [unique] }))), [
    `Concurrent: CREATE UNIQUE INDEX CONCURRENTLY "v" ON "public"."users" USING "btree" ("id")`,
    `Transaction: DROP CONSTRAINT "u"; ADD CONSTRAINT "v" UNIQUE USING INDEX "v"`,
    `Transaction: ADD CONSTRAINT "u" CHECK (id > 0) NOT VALID`,
    `Transaction: VALIDATE CONSTRAINT "u"`,
  ]);
});

Deno.test("planSteps() builds an index under another name while the one that it replaces has its name", () => {
  const index = (name: string, column: string, valid = true): Index => ({
    name,
    unique: true,
    nullsNotDistinct: false,
    method: "btree",
    keys: [{ column, order: "Ascending", nulls: "Last" }],
    include: [],
    valid,
  });
  const desired = table({ indexes: [index("i", "email")] });
  const whole = outline(steps(desired, table({ indexes: [index("i", "id")] })));
  assertEquals(whole, [
    `Concurrent: CREATE UNIQUE INDEX CONCURRENTLY "users_email_idx" ON "public"."users" USING "btree" ("email")`,
    `Transaction: DROP INDEX "public"."i"; ALTER INDEX "public"."users_email_idx" RENAME TO "i"`,
  ]);
  const behind = (valid: boolean) => table({ indexes: [index("i", "id"), index("users_email_idx", "email", valid)] });
  assertEquals(outline(steps(desired, behind(true))), whole.slice(-1));
  assertEquals(outline(steps(desired, behind(false))), [
    `Transaction: DROP INDEX "public"."users_email_idx"`,
    ...whole,
  ]);
});

Deno.test("planSteps() swaps two unique constraints without a moment in which one is missing", () => {
  const unique = (name: string, column: string) => ({ name, columns: [column], nullsNotDistinct: false });
  const desired = table({ uniques: [unique("x", "id"), unique("y", "email")] });
  const observed = table({ uniques: [unique("y", "id"), unique("x", "email")] });
  assertEquals(outline(steps(desired, observed)), [
    `Concurrent: CREATE UNIQUE INDEX CONCURRENTLY "users_id_key" ON "public"."users" USING "btree" ("id")`,
    `Concurrent: CREATE UNIQUE INDEX CONCURRENTLY "users_email_key" ON "public"."users" USING "btree" ("email")`,
    `Transaction: DROP CONSTRAINT "y"; DROP CONSTRAINT "x"; ADD CONSTRAINT "x" UNIQUE USING INDEX "users_id_key"; ` +
    `ADD CONSTRAINT "y" UNIQUE USING INDEX "users_email_key"`,
  ]);
});

Deno.test("planSteps() adds the table's foreign key to itself again when the key that it needs is replaced", () => {
  const self = {
    ...FOREIGN_KEY,
    name: "parent",
    columns: ["email"],
    references: { ...FOREIGN_KEY.references, table: "users" },
  };
  const desired = table({
    primaryKey: { columns: ["email"] },
    uniques: [{ columns: ["id"], nullsNotDistinct: false }],
    foreignKeys: [self],
  });
  const observed = table({ foreignKeys: [self], columns: [ID, { ...EMAIL, notNull: true }] });
  assertEquals(outline(steps(desired, observed)).slice(2), [
    `Transaction: DROP CONSTRAINT "parent"; DROP CONSTRAINT "users_pkey"; ALTER COLUMN "email" DROP NOT NULL; ` +
    `ADD CONSTRAINT "users_pkey" PRIMARY KEY USING INDEX "users_pkey1"; ` +
    `ADD CONSTRAINT "users_id_key" UNIQUE USING INDEX "users_id_key"; ` +
    `ADD CONSTRAINT "parent" FOREIGN KEY ("email") REFERENCES "public"."users" ("id") NOT VALID`,
    `Transaction: VALIDATE CONSTRAINT "parent"`,
  ]);
});

Deno.test("planSteps() names an unnamed check as no check is named, but for one that goes", () => {
  const check = { expression: "id > 0", validated: true };
  const observed = table({ checks: [{ ...check, name: "users_check", expression: "id > 1" }] });
  const first = (checks: Table["checks"]) => outline(steps(table({ checks }), observed))[0];
  assertEquals(
    first([{ ...check, expression: "id > 1" }, check]),
    `Transaction: ADD CONSTRAINT "users_check1" CHECK (id > 0) NOT VALID`,
  );
  assertEquals(
    first([check]),
    `Transaction: DROP CONSTRAINT "users_check"; ADD CONSTRAINT "users_check" CHECK (id > 0) NOT VALID`,
  );
});

Deno.test("planSteps() does everything in one transaction on an empty table, and when told so", () => {
  const desired = table({
    columns: [ID, { ...EMAIL, notNull: true }],
    uniques: [{ columns: ["email"], nullsNotDistinct: false }],
  });
  for (const context of [{ isEmpty: true }, { online: "Never" as const }]) {
    assertEquals(outline(steps(desired, table(), context)), [
      `Transaction: ALTER COLUMN "email" SET NOT NULL; ADD UNIQUE ("email")`,
    ]);
  }
});

Deno.test("planSteps() replaces a primary key by an index that is built before, and never leaves the table without", () => {
  const desired = table({
    columns: [{ ...ID, notNull: false }, { ...EMAIL, notNull: true }],
    primaryKey: { columns: ["email"] },
  });
  assertEquals(outline(steps(desired, table())), [
    `Transaction: ADD CONSTRAINT "tablewright_nn_2" CHECK ("email" IS NOT NULL) NOT VALID`,
    `Transaction: VALIDATE CONSTRAINT "tablewright_nn_2"`,
    `Concurrent: CREATE UNIQUE INDEX CONCURRENTLY "users_pkey1" ON "public"."users" USING "btree" ("email")`,
    `Transaction: DROP CONSTRAINT "users_pkey"; ALTER COLUMN "id" DROP NOT NULL; ALTER COLUMN "email" SET NOT NULL; ` +
    `DROP CONSTRAINT "tablewright_nn_2"; ADD CONSTRAINT "users_pkey" PRIMARY KEY USING INDEX "users_pkey1"`,
  ]);
});

Deno.test("planSteps() adds checks and foreign keys NOT VALID and validates each in a transaction of its own", () => {
  const desired = table({
    checks: [{ name: "positive", expression: "id > 0", validated: true }],
    foreignKeys: [FOREIGN_KEY],
  });
  assertEquals(outline(steps(desired, table())), [
    `Transaction: ADD CONSTRAINT "positive" CHECK (id > 0) NOT VALID`,
    `Transaction: VALIDATE CONSTRAINT "positive"`,
    `Transaction: ADD CONSTRAINT "users_id_fkey" FOREIGN KEY ("id") REFERENCES "public"."people" ("id") NOT VALID`,
    `Transaction: VALIDATE CONSTRAINT "users_id_fkey"`,
  ]);
});

Deno.test("planSteps() drops an invalid index before it builds it again", () => {
  const index = {
    name: "by_email",
    unique: false,
    nullsNotDistinct: false,
    method: "btree",
    keys: [{ column: "email", order: "Ascending", nulls: "Last" }],
    include: [],
    valid: true,
  } as const;
  const desired = table({ indexes: [index] });
  const observed = table({ indexes: [{ ...index, valid: false }] });
  assertEquals(outline(steps(desired, observed)), [
    `Transaction: DROP INDEX "public"."by_email"`,
    `Concurrent: CREATE INDEX CONCURRENTLY "by_email" ON "public"."users" USING "btree" ("email")`,
  ]);
});

Deno.test("planSteps() names the table as it is called when each statement runs", () => {
  const desired = table({ name: "people", comment: "x" });
  assertEquals(steps(desired, table()).flatMap(({ statements }) => statements.map(({ sql }) => sql)), [
    `ALTER TABLE "public"."users" RENAME TO "people"`,
    `COMMENT ON TABLE "public"."people" IS 'x'`,
  ]);
});

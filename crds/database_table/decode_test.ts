import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatFieldError } from "../field_error.ts";
import { decodeTableSpec } from "./decode.ts";
import type { DatabaseTableSpec } from "./types.ts";

const GOOD = { tableName: "T", columns: [{ ID: "integer" }], primaryKey: "ID" };

function faults(spec: unknown): readonly string[] {
  return decodeTableSpec(spec).errors.map(formatFieldError);
}

function decoded(fields: Readonly<Record<string, unknown>>): DatabaseTableSpec | undefined {
  const { errors, value } = decodeTableSpec({ ...GOOD, ...fields });
  assertEquals(errors, []);
  return value;
}

Deno.test("decodeTableSpec() reads short and long columns", () => {
  assertEquals(
    decoded({ columns: [{ ID: "integer" }, { EMAIL: { type: "text", notNull: true, default: "" } }] })?.columns,
    [
      { key: "ID", path: "spec.columns[0].ID", typePath: "spec.columns[0].ID", type: "integer" },
      {
        key: "EMAIL",
        path: "spec.columns[1].EMAIL",
        typePath: "spec.columns[1].EMAIL.type",
        type: "text",
        notNull: true,
        default: "",
      },
    ],
  );
});

Deno.test("decodeTableSpec() reads every field of the long form, and no other", () => {
  const options = {
    default: null,
    defaultExpression: "now()",
    check: "a > 0",
    unique: true,
    references: { schema: "s", table: "t", column: "c", onDelete: "Cascade", onUpdate: "SetNull" },
    identity: "ByDefault",
    generatedAs: "b + 1",
    collation: "C",
    comment: "",
    renamedFrom: "OLD",
    using: "a::int",
  };
  const path = "spec.columns[0].A";
  assertEquals(decoded({ columns: [{ A: { type: "text", ...options } }] })?.columns, [
    { key: "A", path, typePath: `${path}.type`, type: "text", ...options },
  ]);
});

Deno.test("decodeTableSpec() reads constraints, indexes and policies", () => {
  const spec = decoded({
    uniqueConstraints: [{ name: "u", columns: ["A", "B"], nullsNotDistinct: true }],
    checks: [{ expression: "a > 0" }],
    foreignKeys: [{
      columns: ["A"],
      references: { table: "t", columns: ["x"] },
      onDelete: "SetDefault",
      deferrable: "InitiallyDeferred",
    }],
    indexes: [{ columns: ["A", { name: "B", order: "Descending", nulls: "Last", opclass: "o", collation: "C" }] }, {
      expressions: ["lower(a)"],
      unique: true,
      method: "btree",
      where: "a > 0",
      include: ["B"],
    }],
    comment: "all users",
    changePolicy: { allow: ["DropColumn"], lockTimeoutSeconds: 5, statementTimeoutSeconds: 600, online: "Require" },
    adoptionPolicy: "IfIdentical",
  });
  assertEquals(spec?.uniqueConstraints, [
    { path: "spec.uniqueConstraints[0]", name: "u", columns: ["A", "B"], nullsNotDistinct: true },
  ]);
  assertEquals(spec?.checks, [{ path: "spec.checks[0]", expression: "a > 0" }]);
  assertEquals(spec?.foreignKeys, [{
    path: "spec.foreignKeys[0]",
    columns: ["A"],
    references: { table: "t", columns: ["x"] },
    onDelete: "SetDefault",
    deferrable: "InitiallyDeferred",
  }]);
  assertEquals(spec?.indexes, [
    {
      path: "spec.indexes[0]",
      columns: [
        { path: "spec.indexes[0].columns[0]", name: "A" },
        {
          path: "spec.indexes[0].columns[1]",
          name: "B",
          opclass: "o",
          order: "Descending",
          nulls: "Last",
          collation: "C",
        },
      ],
    },
    {
      path: "spec.indexes[1]",
      expressions: ["lower(a)"],
      unique: true,
      method: "btree",
      where: "a > 0",
      include: ["B"],
    },
  ]);
  assertEquals([spec?.comment, spec?.adoptionPolicy, spec?.deletionPolicy], ["all users", "IfIdentical", undefined]);
  assertEquals(spec?.changePolicy, {
    allow: ["DropColumn"],
    lockTimeoutSeconds: 5,
    statementTimeoutSeconds: 600,
    online: "Require",
  });
});

Deno.test("decodeTableSpec() takes empty lists of parts, as tools leave them behind", () => {
  const spec = { uniqueConstraints: [], checks: [], foreignKeys: [], indexes: [], changePolicy: { allow: [] } };
  assertEquals(faults({ ...GOOD, ...spec }), []);
});

Deno.test("decodeTableSpec() tells every fault at once", () => {
  assertEquals(
    faults({
      tableName: 5,
      columns: [{ A: 1 }, { B: { type: "text", nope: 1, notNull: "yes" } }, "C", { D: "text", E: "text" }, {
        F: { type: "text", default: 1.5 },
      }],
      primaryKey: [],
      color: "red",
      deletionPolicy: "delete",
    }),
    [
      "spec.color: unknown field; known are tableName, schema, databaseRef, connectionSecretRef, columns, primaryKey, " +
      "uniqueConstraints, checks, foreignKeys, indexes, comment, changePolicy, drift, mode, suspend, deletionPolicy, " +
      "adoptionPolicy, approval",
      "spec.tableName: must be a string: current value is 5",
      "spec.columns[0].A: must be a type such as varchar(50) or an object with a type: current value is 1",
      "spec.columns[1].B.nope: unknown field; known are type, notNull, default, defaultExpression, check, unique, " +
      "references, identity, generatedAs, collation, comment, renamedFrom, using",
      'spec.columns[1].B.notNull: must be true or false: current value is "yes"',
      'spec.columns[2]: must be one property "NAME: TYPE": current value is "C"',
      'spec.columns[3]: must have exactly one property "NAME: TYPE": current value has 2',
      "spec.columns[4].F.default: must be a whole number within ±2^53: quote other numbers",
      'spec.primaryKey: must be a name, "A, B" or a list of names: current value is a list',
      'spec.deletionPolicy: "delete" is not one of "Delete", "Retain", "Forbid"',
    ],
  );
});

Deno.test("decodeTableSpec() only counts unknown fields when a thousand faults are known, and denies each column", () => {
  const unknown = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`x${index}`, 1]));
  const columns = Array.from({ length: 1_600 }, (_, index) => ({ [`C${index}`]: { type: "text", ...unknown } }));
  const found = faults({ ...GOOD, columns });
  assertEquals(found.length, 1_000 + 1_590);
  assertEquals(found.at(-1), "spec.columns[1599].C1599: 100 more fields are unknown");
});

Deno.test("decodeTableSpec() names a hundred unknown fields and counts the rest", () => {
  const unknown = Object.fromEntries(Array.from({ length: 102 }, (_, index) => [`f${index}`, index]));
  const told = faults({ ...GOOD, ...unknown });
  assertEquals([told.length, told.at(-1)], [101, "spec: 2 more fields are unknown"]);
});

/** One fault each: the fields beside those of {@linkcode GOOD}, and what is said. */
const FAULTS: readonly (readonly [fields: Readonly<Record<string, unknown>>, fault: string])[] = [
  [{ columns: [] }, "spec.columns: must list at least one column"],
  [
    { columns: Array.from({ length: 1601 }, (_, index) => ({ [`c${index}`]: "int" })) },
    "spec.columns: must list at most 1600 columns: current value has 1601",
  ],
  [{ drift: "Report" }, 'spec.drift: must be an object: current value is "Report"'],
  [{ drift: { action: "report" } }, 'spec.drift.action: "report" is not one of "Correct", "Report", "Ignore"'],
  [{ mode: "Off" }, 'spec.mode: "Off" is not one of "Apply", "Observe"'],
  [{ suspend: "true" }, 'spec.suspend: must be true or false: current value is "true"'],
  [
    { primaryKey: Array.from({ length: 33 }, (_, index) => `c${index}`) },
    "spec.primaryKey: must list at most 32 columns: current value has 33",
  ],
  [{ primaryKey: [true] }, "spec.primaryKey[0]: must be a column's name (quote it): current value is true"],
  [
    { columns: [{ A: { type: "int", references: { table: "t", column: "c", onDelete: "CASCADE" } } }] },
    'spec.columns[0].A.references.onDelete: "CASCADE" is not one of "NoAction", "Restrict", "Cascade", "SetNull", "SetDefault"',
  ],
  [
    { columns: [{ A: { type: "int", references: { table: "t" } } }] },
    "spec.columns[0].A.references.column: must be set",
  ],
  [
    { columns: [{ A: { type: "int", references: "t(c)" } }] },
    'spec.columns[0].A.references: must be an object: current value is "t(c)"',
  ],
  [
    { columns: [{ A: { type: "int", identity: true } }] },
    'spec.columns[0].A.identity: true is not one of "Always", "ByDefault"',
  ],
  [{ columns: [{ A: { type: "int", check: " " } }] }, "spec.columns[0].A.check: must not be empty"],
  [
    { columns: [{ A: { type: "int", default: { a: 1 } } }] },
    "spec.columns[0].A.default: must be a string, a boolean, a whole number or null: current value is an object",
  ],
  [
    { columns: [{ "a b\n": { type: "int", unique: null } }] },
    'spec.columns[0].["a b\\n"].unique: must be true or false: current value is null',
  ],
  [{ comment: "a\0b" }, "spec.comment: must not hold a NUL character"],
  [{ comment: "\ud800" }, "spec.comment: must not hold half of a surrogate pair"],
  [{ comment: "x".repeat(4097) }, "spec.comment: must be at most 4096 characters: current value has 4097"],
  [{ checks: { expression: "a" } }, "spec.checks: must be a list: current value is an object"],
  [{ checks: ["a > 0"] }, 'spec.checks[0]: must be an object with an expression: current value is "a > 0"'],
  [{ checks: [{ name: 1, expression: "a" }] }, "spec.checks[0].name: must be a string: current value is 1"],
  [
    { checks: Array.from({ length: 101 }, () => ({ expression: "true" })) },
    "spec.checks: must list at most 100: current value has 101",
  ],
  [{ uniqueConstraints: [{ columns: [] }] }, "spec.uniqueConstraints[0].columns: must not be an empty list"],
  [
    { uniqueConstraints: [{ columns: ["A"], nullsDistinct: false }] },
    "spec.uniqueConstraints[0].nullsDistinct: unknown field; known are name, columns, nullsNotDistinct",
  ],
  [{ foreignKeys: [{ columns: ["A"] }] }, "spec.foreignKeys[0].references: must be set"],
  [
    { foreignKeys: [{ columns: ["A"], references: { table: "t", columns: ["x"] }, deferrable: false }] },
    'spec.foreignKeys[0].deferrable: false is not one of "Never", "InitiallyImmediate", "InitiallyDeferred"',
  ],
  [
    { indexes: [{ columns: ["A", { name: "B", order: "DESC" }] }] },
    'spec.indexes[0].columns[1].order: "DESC" is not one of "Ascending", "Descending"',
  ],
  [
    { indexes: [{ columns: [false] }] },
    "spec.indexes[0].columns[0]: must be a column's name or an object with a name (quote it): current value is false",
  ],
  [
    { indexes: [{ columns: [["A"]] }] },
    "spec.indexes[0].columns[0]: must be a column's name or an object with a name: current value is a list",
  ],
  [{ changePolicy: [] }, "spec.changePolicy: must be an object: current value is a list"],
  [
    { changePolicy: { allow: ["DropTable"] } },
    'spec.changePolicy.allow[0]: "DropTable" is not one of "DropColumn", "WidenType", "NarrowType", "ChangeType", ' +
    '"DropConstraint", "DropIndex", "RewriteTable"',
  ],
  [{ changePolicy: { allow: ["DropIndex", "DropIndex"] } }, 'spec.changePolicy.allow[1]: "DropIndex" is listed twice'],
  [
    { changePolicy: { lockTimeoutSeconds: 0 } },
    "spec.changePolicy.lockTimeoutSeconds: must be a whole number from 1 to 600: current value is 0",
  ],
  [
    { changePolicy: { dropStrategy: "Drop" } },
    "spec.changePolicy.dropStrategy: unknown field; known are allow, lockTimeoutSeconds, statementTimeoutSeconds, online",
  ],
  [{ adoptionPolicy: "Always" }, 'spec.adoptionPolicy: "Always" is not one of "Never", "IfIdentical", "IfCompatible"'],
];

Deno.test("decodeTableSpec() names the exact field of each fault", () => {
  for (const [fields, fault] of FAULTS) assertEquals(faults({ ...GOOD, ...fields }), [fault]);
});

Deno.test("decodeTableSpec() understands the rest beside a faulty part", () => {
  const { value, faultyColumns } = decodeTableSpec({
    ...GOOD,
    columns: [{ ID: "integer" }, { A: 5 }, { B: { type: "text", unique: 1 } }],
    checks: [{ expression: 5 }, { expression: "a > 0" }],
  });
  assertEquals(value?.columns.map((column) => column.key), ["ID", "B"]);
  assertEquals(faultyColumns, ["A", "B"]);
  assertEquals(value?.checks, [{ path: "spec.checks[1]", expression: "a > 0" }]);
});

Deno.test("decodeTableSpec() reads no field from a prototype and takes __proto__ as a column's name", () => {
  assertEquals(faults({}), [
    "spec.tableName: must be set",
    "spec.columns: must list at least one column",
    "spec.primaryKey: must name at least one column",
  ]);
  const columns = JSON.parse('[{"__proto__": "integer"}]');
  assertEquals(decodeTableSpec({ ...GOOD, columns }).value?.columns[0]?.key, "__proto__");
  assertEquals(
    faults({ ...GOOD, columns: [{ A: JSON.parse('{"type": "int", "__proto__": {"unique": true}}') }] }).length,
    1,
  );
});

Deno.test("decodeTableSpec() says what is missing when there is no spec", () => {
  assertEquals(faults(undefined), ["spec: must be set"]);
  assertEquals(faults(null), ["spec: must be set"]);
  assertEquals(faults([]), ["spec: must be an object: current value is a list"]);
});

Deno.test("decodeTableSpec() meets what YAML makes of names and numbers", () => {
  // `- NO: integer`, `default: 1.10`, `comment: 5` and `columns: [off]`, as they arrive.
  const columns = [{ ID: "integer" }, { false: "integer" }, { A: { type: "numeric", default: 1.1, comment: 5 } }];
  assertEquals(faults({ ...GOOD, columns, indexes: [{ columns: [false] }] }), [
    "spec.columns[2].A.default: must be a whole number within ±2^53: quote other numbers",
    "spec.columns[2].A.comment: must be a string: current value is 5",
    "spec.indexes[0].columns[0]: must be a column's name or an object with a name (quote it): current value is false",
  ]);
});

Deno.test("decodeTableSpec() finds faults or a value in any JSON, and never throws", () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "binary" }), (json) => {
      const { errors, value } = decodeTableSpec(json);
      assert(errors.length > 0 || value !== undefined);
      for (const error of errors) {
        assert(error.path.startsWith("spec") && !/[\p{Cc}\u202e]/u.test(formatFieldError(error)));
      }
    }),
    { numRuns: 2_000 },
  );
});

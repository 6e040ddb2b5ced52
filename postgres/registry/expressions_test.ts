import { assertEquals } from "@std/assert";
import { type CatalogConstraint, type CatalogIndex, emptyRelation, type Relation } from "../catalog/relation.ts";
import type { Index } from "../table.ts";
import { declaredText, type Expressions, nextExpressions, NOTHING_DECLARED } from "./expressions.ts";
import type { Declared } from "./declared.ts";

const COLUMN = { number: 1, name: "name", type: "text", notNull: false, notNullValidated: true };

function check(oid: number, name: string, expression: string): CatalogConstraint {
  return { oid, name, kind: "check", columns: [], validated: true, enforced: true, deferrable: "No", expression };
}

function index(oid: number, name: string, [expression, where]: readonly [string, (string | undefined)?]): CatalogIndex {
  const keys = [{ column: "a", order: "Ascending", nulls: "Last" }, {
    expression,
    order: "Ascending",
    nulls: "Last",
  }] as const;
  const flags = { unique: false, nullsNotDistinct: false, valid: true, ready: true, building: false };
  return { oid, name, ...flags, method: "btree", keys, include: [], ...(where === undefined ? {} : { where }) };
}

function table(parts: Partial<Relation>): Relation {
  return { ...emptyRelation("public", "t"), ...parts };
}

function declared(parts: Partial<Declared>): Declared {
  return { ...NOTHING_DECLARED, ...parts };
}

Deno.test("nextExpressions() pairs unnamed checks in the order of their oids, named ones by name", () => {
  const constraints = [check(12, "t_check1", "(b > 0)"), check(11, "t_check", "(a > 0)"), check(10, "mine", "(c > 0)")];
  const step = {
    before: undefined,
    after: table({ constraints }),
    declared: declared({ named: { "check/mine": "c > 0" }, newChecks: ["a > 0", "b > 0"] }),
  };
  assertEquals(nextExpressions({}, step), {
    "check/t_check1": ["b > 0", "(b > 0)"],
    "check/t_check": ["a > 0", "(a > 0)"],
    "check/mine": ["c > 0", "(c > 0)"],
  });
});

Deno.test("nextExpressions() knows the order of oids that began again", () => {
  const constraints = [check(20_000, "t_check1", "(b > 0)"), check(4_294_967_290, "t_check", "(a > 0)")];
  const step = {
    before: undefined,
    after: table({ constraints }),
    declared: declared({ newChecks: ["a > 0", "b > 0"] }),
  };
  assertEquals(nextExpressions({}, step)["check/t_check"], ["a > 0", "(a > 0)"]);
});

Deno.test("nextExpressions() pairs nothing when somebody else made a check in between", () => {
  const constraints = [check(1, "t_check", "(a > 0)"), check(2, "by_hand", "(b > 0)")];
  const step = { before: undefined, after: table({ constraints }), declared: declared({ newChecks: ["a > 0"] }) };
  assertEquals(nextExpressions({}, step), {
    "check/t_check": [null, "(a > 0)"],
    "check/by_hand": [null, "(b > 0)"],
  });
});

Deno.test("nextExpressions() pairs unnamed indexes by their place, with their keys and conditions", () => {
  const indexes = [
    index(2, "t_b", ["lower(b)"]),
    index(1, "t_a", ["lower(a)", "(a > ''::text)"]),
    index(3, "mine", ["upper(a)"]),
  ];
  const plain = { ...index(4, "plain", ["x"]), keys: [{ column: "a", order: "Ascending", nulls: "Last" }] } as const;
  const wanted = (expression: string, where?: string) => {
    const { oid: _oid, name: _name, ready: _ready, building: _building, ...part } = index(0, "", [expression, where]);
    return part satisfies Index;
  };
  const step = {
    before: undefined,
    after: table({ indexes: [...indexes, plain] }),
    declared: declared({
      named: { "index/mine/2": "upper(a)" },
      newIndexes: [wanted("lower(a)", "a > ''"), wanted("lower(b)")],
    }),
  };
  assertEquals(nextExpressions({}, step), {
    "index/t_b/2": ["lower(b)", "lower(b)"],
    "index/t_a/2": ["lower(a)", "lower(a)"],
    "index/t_a/where": ["a > ''", "(a > ''::text)"],
    "index/mine/2": ["upper(a)", "upper(a)"],
  });
});

Deno.test("nextExpressions() keeps what was declared when a DDL changes the stored text, and across renames", () => {
  const known: Expressions = {
    "check/old": ["n IN (1, 2)", "(n = ANY (ARRAY[1, 2]))"],
    "default/name": ["'x'", "'x'::text"],
  };
  const before = table({
    columns: [{ ...COLUMN, default: "'x'::text" }],
    constraints: [check(1, "old", "(n = ANY (ARRAY[1, 2]))")],
  });
  const after = table({
    columns: [{ ...COLUMN, name: "login", default: "'x'::character varying" }],
    constraints: [check(1, "new", "(n = ANY (ARRAY[(1)::bigint, (2)::bigint]))")],
  });
  assertEquals(nextExpressions(known, { before, after, declared: NOTHING_DECLARED }), {
    "default/login": ["'x'", "'x'::character varying"],
    "check/new": ["n IN (1, 2)", "(n = ANY (ARRAY[(1)::bigint, (2)::bigint]))"],
  });
});

Deno.test("nextExpressions() does not lend what was declared to a text that somebody changed by hand", () => {
  const known: Expressions = { "default/name": ["'x'", "'x'::text"], "check/c": ["a > 0", "(a > 0)"] };
  const changed = table({ columns: [{ ...COLUMN, default: "'evil'::text" }], constraints: [check(9, "c", "(a > 1)")] });
  const step = { before: changed, after: changed, declared: NOTHING_DECLARED };
  assertEquals(nextExpressions(known, step), { "default/name": [null, "'evil'::text"], "check/c": [null, "(a > 1)"] });
});

Deno.test("nextExpressions() forgets what is gone", () => {
  const known: Expressions = { "check/c": ["a > 0", "(a > 0)"], "default/name": ["'x'", "'x'::text"] };
  const before = table({ columns: [{ ...COLUMN, default: "'x'::text" }], constraints: [check(1, "c", "(a > 0)")] });
  const step = { before, after: table({ columns: [COLUMN] }), declared: NOTHING_DECLARED };
  assertEquals(nextExpressions(known, step), {});
});

const KNOWN: Expressions = { "check/c": ["a > 0", "(a > 0)"], "check/d": ["b > 0", "(b > 0)"] };
const BEFORE = table({ constraints: [check(1, "c", "(a > 0)"), check(2, "d", "(b > 0)")] });

Deno.test("nextExpressions() knows checks again that ALTER TYPE made anew, beside a new one and a renamed one", () => {
  const constraints = [check(8, "c", "(a > 0.0)"), check(9, "e", "(b > 0.0)"), check(10, "t_check", "(a < b)")];
  const given = { newChecks: ["a < b"], dropped: [], renamed: { d: "e" } };
  const step = { before: BEFORE, after: table({ constraints }), declared: declared(given) };
  assertEquals(nextExpressions(KNOWN, step), {
    "check/c": ["a > 0", "(a > 0.0)"],
    "check/e": ["b > 0", "(b > 0.0)"],
    "check/t_check": ["a < b", "(a < b)"],
  });
  const untold = { before: BEFORE, after: table({ constraints: constraints.slice(0, 1) }), declared: NOTHING_DECLARED };
  assertEquals(nextExpressions(KNOWN, untold), { "check/c": ["a > 0", "(a > 0.0)"] });
});

Deno.test("nextExpressions() gives a check that took a dropped one's name its own text", () => {
  const after = table({ constraints: [check(8, "c", "(a < b)"), check(9, "d", "(b > 0.0)")] });
  const step = (dropped?: readonly string[]) => {
    const known = { newChecks: ["a < b"], ...(dropped === undefined ? {} : { dropped }) };
    return nextExpressions(KNOWN, { before: BEFORE, after, declared: declared(known) });
  };
  assertEquals(step(["c"]), { "check/c": ["a < b", "(a < b)"], "check/d": ["b > 0", "(b > 0.0)"] });
  // Without that word either of the two may be the new one.
  assertEquals(step(), { "check/c": [null, "(a < b)"], "check/d": [null, "(b > 0.0)"] });
});

Deno.test("nextExpressions() gives every check a new text when all were dropped and made anew", () => {
  const after = table({ constraints: [check(9, "c", "(b < 0)"), check(8, "d", "(a < 0)")] });
  const step = { before: BEFORE, after, declared: declared({ newChecks: ["a < 0", "b < 0"] }) };
  assertEquals(nextExpressions(KNOWN, step), { "check/c": ["b < 0", "(b < 0)"], "check/d": ["a < 0", "(a < 0)"] });
});

Deno.test("nextExpressions() gives an announced index what was declared, whatever is stored", () => {
  const known: Expressions = { "index/i/2": ["lower(a)", null] };
  const after = table({ indexes: [index(1, "i", ["lower((a)::text)"])] });
  for (const before of [undefined, table({}), after]) {
    const step = { before, after, declared: NOTHING_DECLARED };
    assertEquals(nextExpressions(known, step), { "index/i/2": ["lower(a)", "lower((a)::text)"] });
  }
  assertEquals(declaredText(known, "index/i/2", "anything"), "lower(a)");
});

import { assertEquals } from "@std/assert";
import { type CalledNames, type FunctionFact, type FunctionFacts, judgeFunctions, judgeTogether } from "./functions.ts";

const NONE: ReadonlySet<string> = new Set();
const OWN: FunctionFact = {
  schema: "pg_catalog",
  name: "lower",
  owner: "postgres",
  isTrusted: true,
  isVolatile: false,
  kind: "function",
  returnsSet: false,
  isInternal: false,
};
const OF_EXTENSION: FunctionFact = { ...OWN, schema: "public", name: "crypt", extension: "pgcrypto" };

function factsOf(functions: readonly FunctionFact[], more: Partial<FunctionFacts> = {}): FunctionFacts {
  return { functions, operators: [], types: [], creators: new Map(), similar: new Map(), ...more };
}

function calling(...names: readonly string[]): CalledNames {
  const functions = names.map((text) => {
    const [name = "", schema] = text.split(".").reverse();
    return schema === undefined ? { name } : { schema, name };
  });
  return { functions, operators: [], types: [] };
}

Deno.test("judgeFunctions() lets PostgreSQL's own and extensions' functions compute", () => {
  const facts = factsOf([OWN, OF_EXTENSION]);
  assertEquals(judgeFunctions(calling("lower"), facts, NONE), { faults: [], searchPath: [] });
  assertEquals(judgeFunctions(calling("crypt"), facts, NONE), { faults: [], searchPath: ["public"] });
  assertEquals(judgeFunctions(calling("public.crypt"), facts, NONE), { faults: [], searchPath: [] });
});

Deno.test("judgeFunctions() refuses a name of which one function is bad", () => {
  const facts = factsOf([OWN, { ...OWN, isVolatile: true }]);
  assertEquals(judgeFunctions(calling("lower"), facts, NONE).faults, [
    "The function lower() must not be called: it is volatile, so it may do more than compute; " +
    "--allow-function pg_catalog.lower would allow it",
  ]);
  assertEquals(judgeFunctions(calling("lower"), facts, new Set(["pg_catalog.lower"])).faults, []);
});

Deno.test("judgeFunctions() asks which of two extensions is meant", () => {
  const facts = factsOf([OF_EXTENSION, { ...OF_EXTENSION, schema: "other", extension: "other" }]);
  assertEquals(judgeFunctions(calling("crypt"), facts, NONE), {
    faults: ["There is no function crypt(): write public.crypt()"],
    searchPath: [],
  });
});

Deno.test("judgeFunctions() looks at everything that a schema on the path has", () => {
  const facts = factsOf([OWN, OF_EXTENSION, { ...OWN, schema: "public" }]);
  assertEquals(judgeFunctions(calling("lower"), facts, NONE).faults, []);
  assertEquals(judgeFunctions(calling("lower", "crypt"), facts, NONE).faults, [
    "The function lower() must not be called: public.lower is neither PostgreSQL's own nor an extension's; " +
    "--allow-function public.lower would allow it",
  ]);
});

Deno.test("judgeTogether() judges each expression under the path that all of them need", () => {
  const facts = factsOf([OWN, OF_EXTENSION, { ...OWN, schema: "public" }]);
  const { faults, searchPath } = judgeTogether([calling("lower"), calling("crypt")], facts, NONE);
  assertEquals([faults.map((each) => each.length), searchPath], [[1, 0], ["public"]]);
});

Deno.test("judgeFunctions() refuses a schema in which strangers may create", () => {
  const facts = factsOf([OF_EXTENSION], { creators: new Map([["public", ["PUBLIC", "app"]]]) });
  assertEquals(judgeFunctions(calling("crypt"), facts, NONE).faults, [
    "The function crypt() must not be called: in its schema everybody, 'app' may create functions, " +
    "which would run with the operator's rights: revoke CREATE on 'public'",
  ]);
});

Deno.test("an error message holds nothing that a terminal obeys", () => {
  const { faults } = judgeFunctions(calling("\u001b[31m"), factsOf([]), NONE);
  assertEquals(faults, ["There is no function <U+001B>[31m()"]);
});

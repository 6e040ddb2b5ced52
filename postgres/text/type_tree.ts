import { exact, list, nameOf, namesOf, objectOf } from "./tree.ts";
import { type RawTypeName, typeNameOf } from "./type_name.ts";

const TYPE_KEYS = ["names", "typmods", "typemod", "arrayBounds", "location"];

/**
 * What a `TypeName` of the grammar holds, `undefined` for one that is more than names and constants: `setof` and `%TYPE`
 * are keys of their own, hence refused with every other key that we do not know.
 */
export function rawTypeName(node: unknown): RawTypeName | undefined {
  const type = exact(node, TYPE_KEYS);
  const names = namesOf(type?.names);
  const typmods = (list(type?.typmods ?? []) ?? [undefined]).map(typmodOf);
  if (names === undefined || !typmods.every((typmod) => typmod !== undefined)) return undefined;
  return { names, typmods, isArray: type?.arrayBounds !== undefined };
}

/** A modifier is a constant: an integer, a string, or one word (PostGIS's `geometry(Point)`). */
function typmodOf(node: unknown): number | string | undefined {
  const word = list(exact(exact(node, ["ColumnRef"])?.ColumnRef, ["fields", "location"])?.fields);
  if (word !== undefined) return word.length === 1 ? nameOf(word[0]) : undefined;
  const constant = exact(exact(node, ["A_Const"])?.A_Const, ["ival", "sval", "location"]);
  const text = exact(constant?.sval, ["sval"]);
  if (text !== undefined) return typeof text.sval === "string" ? text.sval : "";
  const integer = exact(constant?.ival, ["ival"]);
  if (integer === undefined) return undefined;
  // Zero is left out of the tree.
  return typeof integer.ival === "number" ? integer.ival : 0;
}

/** PostgreSQL's own types for which the grammar has words, and so puts their schema into the tree. */
const GRAMMAR_TYPES: ReadonlySet<string> = new Set(
  "bool int2 int4 int8 float4 float8 numeric bpchar varchar bit varbit time timetz timestamp timestamptz interval"
    .split(" "),
);
/** Without a length, the grammar's word for them means length one. */
const OTHER_THAN_THE_WORD: ReadonlySet<string> = new Set(["bpchar", "bit"]);
const ARRAY: unknown = [{ Integer: { ival: -1 } }];
const SCALE_OF_ZERO: unknown = { A_Const: { ival: {} } };

/** The `TypeName` (without locations) as the grammar makes it of the usual spelling: `int`, `int4` and `integer` are one. */
export function normalTypeName(node: unknown): unknown {
  const raw = rawTypeName(node);
  const type = raw === undefined ? undefined : typeNameOf(raw);
  if (type === undefined || !type.ok) return node;
  const { name, schema, isArray } = type.value;
  const typmods = (list(objectOf(node)?.typmods) ?? []).map((typmod, index) => {
    const text = raw?.typmods[index];
    return typeof text === "string" ? { A_Const: { sval: text === "" ? {} : { sval: text } } } : typmod;
  });
  const implied = schema === undefined && name === "numeric" && typmods.length === 1 ? [SCALE_OF_ZERO] : [];
  return {
    names: (schema === undefined ? spelling(name, typmods.length > 0) : [schema, name])
      .map((sval) => ({ String: { sval } })),
    ...(typmods.length === 0 ? {} : { typmods: [...typmods, ...implied] }),
    typemod: -1,
    ...(isArray ? { arrayBounds: ARRAY } : {}),
  };
}

function spelling(name: string, hasLength: boolean): readonly string[] {
  const isWord = GRAMMAR_TYPES.has(name) && (hasLength || !OTHER_THAN_THE_WORD.has(name));
  return isWord ? ["pg_catalog", name] : [name];
}

import { qualifiedName } from "../text/identifier.ts";
import { isBuiltIn, type TypeName } from "../text/type_name.ts";

/** What an access method can do; the words are those of `pg_indexam_has_property()`. */
export interface IndexMethod {
  readonly canUnique: boolean;
  /** ASC, DESC, NULLS FIRST and NULLS LAST. */
  readonly canOrder: boolean;
  readonly canMultiCol: boolean;
  readonly canInclude: boolean;
}

const METHODS: ReadonlyMap<string, IndexMethod> = new Map([
  ["btree", { canUnique: true, canOrder: true, canMultiCol: true, canInclude: true }],
  ["hash", { canUnique: false, canOrder: false, canMultiCol: false, canInclude: false }],
  ["gin", { canUnique: false, canOrder: false, canMultiCol: true, canInclude: false }],
  ["gist", { canUnique: false, canOrder: false, canMultiCol: true, canInclude: true }],
  ["brin", { canUnique: false, canOrder: false, canMultiCol: true, canInclude: false }],
  ["spgist", { canUnique: false, canOrder: false, canMultiCol: false, canInclude: true }],
]);
/** Of an extension: what it does not support, PostgreSQL refuses. */
const OTHER_METHOD: IndexMethod = { canUnique: false, canOrder: false, canMultiCol: true, canInclude: true };

/** What the access method of that name can do. */
export function indexMethod(name: string): IndexMethod {
  return METHODS.get(name) ?? OTHER_METHOD;
}

/** Types that are indexed as if they were another one. */
const INDEXED_AS: ReadonlyMap<string, string> = new Map([
  ["varchar", "text"],
  ["cidr", "inet"],
  ["polygon", "poly"],
]);
const BRIN_INCLUSION: ReadonlySet<string> = new Set(["inet", "box", "range"]);

/**
 * Whether that is the operator class which an index of PostgreSQL's own type takes when none is named: PostgreSQL does not
 * print such a one, so nobody may tell it from none.
 *
 * @param opclass Quoted, with its schema.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const text = { name: "text", typmods: [], isArray: false };
 * assertEquals(isDefaultOpclass("btree", '"pg_catalog"."text_ops"', text), true);
 * assertEquals(isDefaultOpclass("btree", '"pg_catalog"."text_pattern_ops"', text), false);
 * ```
 */
export function isDefaultOpclass(method: string, opclass: string, type: TypeName): boolean {
  const family = familyOf(type);
  const label = family === undefined ? undefined : labelOf(method, family);
  return label !== undefined && opclass === qualifiedName("pg_catalog", `${label}_ops`);
}

function familyOf(type: TypeName): string | undefined {
  if (!isBuiltIn(type)) return undefined;
  if (type.isArray) return "array";
  if (type.name.endsWith("multirange")) return "multirange";
  if (type.name.endsWith("range")) return "range";
  // The names of catalog objects: regclass and its like.
  if (type.name.startsWith("reg")) return "oid";
  return INDEXED_AS.get(type.name) ?? type.name;
}

function labelOf(method: string, family: string): string | undefined {
  switch (method) {
    case "brin":
      return BRIN_INCLUSION.has(family) ? `${family}_inclusion` : `${family}_minmax`;
    case "spgist":
      return family === "point" ? "quad_point" : family;
    case "gist":
      // It has one, but one must ask for it.
      return family === "inet" ? undefined : family;
    default:
      return family;
  }
}

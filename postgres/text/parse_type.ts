import { BUILT_IN_TYPES, TYPE_ALIASES } from "./built_in_type.ts";
import { excerpt, type Parsed, refused, unprintableIn } from "./fault.ts";
import { NO_BUDGET, type ParseBudget } from "./parse_budget.ts";
import { loadParser, type Parser, SyntaxFault } from "./pg_query.ts";
import { exact, soleTarget } from "./tree.ts";
import { typeHint } from "./type_hint.ts";
import { type RawTypeName, type TypeName, typeNameOf } from "./type_name.ts";
import { rawTypeName } from "./type_tree.ts";

const MAXIMUM_TYPE_LENGTH = 256;
const CACHE_SIZE = 1000;

/** How most types are written. What matches needs no grammar: 24 MB of memory that a small operator never pays. */
const PLAIN_TYPE =
  /^([a-z][a-z0-9_]*(?: varying| precision)?) ?(?:\( ?(-?\d{1,9}) ?(?:, ?(-?\d{1,9}) ?)?\))?( with(?:out)? time zone)?((?: ?\[\d{0,9}\])*)$/;

const cache = new Map<string, Parsed<TypeName>>();

/**
 * Reads the type of a column. What the user wrote is parsed by PostgreSQL's own grammar and then forgotten: only names,
 * numbers and constants of an accepted tree are kept, and `printType()` makes new SQL of them.
 *
 * @param budget Once it is spent, texts that were not parsed before are too complex.
 *
 * A name that PostgreSQL does not have itself comes back as it is, without a schema: `isBuiltIn()` tells.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const type = await parseType("varchar(50)");
 * assertEquals(type, { ok: true, value: { name: "varchar", typmods: [50], isArray: false } });
 * ```
 */
export async function parseType(text: string, budget: ParseBudget = NO_BUDGET): Promise<Parsed<TypeName>> {
  const fault = textFault(text);
  if (fault !== undefined) return refused(fault);
  const known = cache.get(text);
  if (known !== undefined) return known;
  const plain = plainType(text);
  if (plain === undefined && budget.isSpent) return refused(tooComplex(text));
  const type = plain === undefined ? await grammarType(text, budget) : typeNameOf(plain);
  remember(text, type);
  return type;
}

/** What must not even reach the parser: it takes a C string, is quadratic in comments and recurses. */
function textFault(text: string): string | undefined {
  if (text.trim() === "") return "A type must not be empty";
  if (text.length > MAXIMUM_TYPE_LENGTH) {
    return `A type must be at most ${MAXIMUM_TYPE_LENGTH} characters: ${excerpt(text)} has ${text.length}`;
  }
  const unprintable = unprintableIn(text);
  if (unprintable !== undefined) return `The type ${excerpt(text)} must not hold the character ${unprintable}`;
  if (text.includes("--") || text.includes("/*")) return `The type ${excerpt(text)} must not hold a comment`;
  // The grammar would cut them without an error and thus name another type.
  if (/[^\s"().,[\]']{64}/.test(text)) return `The type ${excerpt(text)} must not hold a name over 63 bytes`;
  return undefined;
}

function plainType(text: string): RawTypeName | undefined {
  // Only ASCII: the lower case of other letters is not PostgreSQL's.
  if (!/^[\x20-\x7e]+$/.test(text)) return undefined;
  const match = PLAIN_TYPE.exec(text.toLowerCase().trim().replace(/ +/g, " "));
  if (match === null) return undefined;
  const [, word = "", precision, scale, zone = "", brackets = ""] = match;
  const written = `${word}${zone}`;
  // `float(24)` is another type than `float`, and `interval` has fields before its precision: only the grammar knows.
  if (precision !== undefined && (word === "float" || word === "interval")) return undefined;
  const name = TYPE_ALIASES.get(written) ?? written;
  if (!BUILT_IN_TYPES.has(name)) return undefined;
  const given = [precision, scale].filter((modifier) => modifier !== undefined).map((digits) => Number(digits) + 0);
  // `char` and `bit` alone mean one; `bpchar` alone does not.
  const implied = written === "char" || written === "character" || written === "bit" ? [1] : [];
  return { names: [name], typmods: given.length === 0 ? implied : given, isArray: brackets !== "" };
}

async function grammarType(text: string, budget: ParseBudget): Promise<Parsed<TypeName>> {
  const parse = await loadParser();
  // What is wrong with it is searched for too, and that takes longer.
  return await budget.spend(text, () => {
    try {
      const raw = typeOfTree(parse, text);
      return raw === undefined ? refused(notAType(text)) : typeNameOf(raw);
    } catch (error) {
      return refused(error instanceof SyntaxFault ? notAType(text) : tooComplex(text));
    }
  });
}

function tooComplex(text: string): string {
  return `The type ${excerpt(text)} is too complex`;
}

function notAType(text: string): string {
  return `${excerpt(text)} is not a type${typeHint(text)}`;
}

/** The type of `SELECT NULL::<text>` if that is all there is in the tree. */
function typeOfTree(parse: Parser, text: string): RawTypeName | undefined {
  const target = soleTarget(parse(`SELECT NULL::${text}\n`));
  const cast = exact(exact(target, ["TypeCast"])?.TypeCast, ["arg", "typeName", "location"]);
  const constant = exact(exact(cast?.arg, ["A_Const"])?.A_Const, ["isnull", "location"]);
  return constant?.isnull === true ? rawTypeName(cast?.typeName) : undefined;
}

/** Bounded, oldest first: whoever writes many types costs time, never memory. */
function remember(text: string, type: Parsed<TypeName>): void {
  const [oldest] = cache.keys();
  if (cache.size >= CACHE_SIZE && oldest !== undefined) cache.delete(oldest);
  cache.set(text, type);
}

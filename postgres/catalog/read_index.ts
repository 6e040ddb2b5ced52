import { namesOf, type RawIndex } from "./raw.ts";
import type { CatalogIndex, CatalogIndexKey } from "./relation.ts";
import { PRINTED_IDENTIFIER, PRINTED_NAME, readIdentifier, readQualifiedName, requote } from "../text/printed_name.ts";

/** What only the text of `pg_get_indexdef()` tells of an index. */
export interface IndexDefinition {
  readonly method: string;
  readonly keys: readonly CatalogIndexKey[];
}

const HEAD = new RegExp(
  `^CREATE (?:UNIQUE )?INDEX ${PRINTED_NAME} ON (?:ONLY )?${PRINTED_NAME} USING (${PRINTED_IDENTIFIER}) \\(`,
);
const COLUMN = new RegExp(`^${PRINTED_IDENTIFIER}`);
/** Words of SQL are printed in upper case, names in lower case or in quotes. */
const ORNAMENTS = new RegExp(
  `^(?: COLLATE (${PRINTED_NAME}))?(?: (${PRINTED_NAME}))?( \\((?:'(?:[^']|'')*'|[^')])*\\))?( DESC)?(?: NULLS (FIRST|LAST))?(?:, |\\))`,
);

/** An index that no constraint owns. */
export function readIndex(raw: RawIndex, names: ReadonlyMap<number, string>): CatalogIndex {
  const { oid, unique, nullsNotDistinct, valid, ready, building, columns, keyCount, where } = raw;
  const isExpression = columns.slice(0, keyCount).map((number) => number === 0);
  return {
    oid,
    name: readQualifiedName(raw.name).name,
    unique,
    nullsNotDistinct,
    valid,
    ready,
    building,
    ...readIndexDefinition(raw.definition ?? "", isExpression, raw.expressions ?? []),
    include: namesOf(columns.slice(keyCount), names),
    ...(where === null ? {} : { where }),
  };
}

/**
 * Reads the keys of an index from its definition: PostgreSQL prints a collation or an operator class only where it is not
 * what the key has by itself, and no column of the catalog says so.
 *
 * @param expressions As `pg_get_indexdef()` prints them one by one, in their order.
 * @param isExpression For each key whether it is an expression.
 *
 * @throws {Error} for a text that no supported version prints.
 */
export function readIndexDefinition(
  definition: string,
  isExpression: readonly boolean[],
  expressions: readonly string[],
): IndexDefinition {
  const [head, method = ""] = HEAD.exec(definition) ?? [];
  if (head === undefined) throw unreadable(definition);
  const left = [...expressions];
  let rest = definition.slice(head.length);
  const keys = isExpression.map((isOne) => {
    const text = isOne ? left.shift() ?? "" : COLUMN.exec(rest)?.[0] ?? "";
    const [all, collation, opclass, parameters, descending, nulls] = ORNAMENTS.exec(rest.slice(text.length)) ?? [];
    if (text === "" || !rest.startsWith(text) || all === undefined) throw unreadable(definition);
    rest = rest.slice(text.length + all.length);
    const order = descending === undefined ? "Ascending" as const : "Descending" as const;
    return {
      ...(isOne ? { expression: withoutParentheses(text) } : { column: readIdentifier(text) }),
      ...(opclass === undefined ? {} : { opclass: requote(opclass) }),
      ...(parameters === undefined ? {} : { parameters: true as const }),
      ...(collation === undefined ? {} : { collation: requote(collation) }),
      order,
      nulls: nullsOf(nulls, order),
    };
  });
  return { method: readIdentifier(method), keys };
}

function nullsOf(printed: string | undefined, order: CatalogIndexKey["order"]): CatalogIndexKey["nulls"] {
  if (printed === undefined) return order === "Ascending" ? "Last" : "First";
  return printed === "FIRST" ? "First" : "Last";
}

/** One layer of parentheses belongs to the list of keys; only a call goes without. */
function withoutParentheses(text: string): string {
  return text.startsWith("(") ? text.slice(1, -1) : text;
}

function unreadable(definition: string): Error {
  return new Error(`cannot read the index definition ${definition}`);
}

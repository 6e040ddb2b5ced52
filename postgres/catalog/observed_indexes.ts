import type { CatalogIndex } from "./relation.ts";
import { declaredText, expressionKey, type Expressions } from "../registry/expressions.ts";
import type { Index, IndexKey } from "../table.ts";

/** Whether a spec could have asked for this index: no spec gives parameters to an operator class. */
export function isPlainIndex({ keys }: CatalogIndex): boolean {
  return keys.every(({ parameters }) => parameters === undefined);
}

/** The index with the texts that were declared, where the registry knows them. */
export function indexOf(index: CatalogIndex, known: Expressions | undefined): Index {
  const { name, unique, nullsNotDistinct, method, keys, include, where, valid } = index;
  const text = (key: string, stored: string) => declaredText(known, key, stored) ?? stored;
  return {
    name,
    unique,
    nullsNotDistinct,
    method,
    keys: keys.map((key, position): IndexKey =>
      key.expression === undefined
        ? key
        : { ...key, expression: text(expressionKey.indexKey(name, position + 1), key.expression) }
    ),
    include,
    ...(where === undefined ? {} : { where: text(expressionKey.indexWhere(name), where) }),
    valid,
  };
}

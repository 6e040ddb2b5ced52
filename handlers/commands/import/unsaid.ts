import type { IdentityOptions } from "../../../postgres/catalog/identity_options.ts";
import type { Relation } from "../../../postgres/catalog/catalog.ts";
import { objectName } from "../../../postgres/object_name.ts";
import type { Omission } from "./table_spec.ts";

/** What a table has that changes no plan, since no spec has a word for it, and that a table made of the spec would not have. Pure. */
export function unsaidParts(relation: Relation, identities: readonly IdentityOptions[]): readonly Omission[] {
  const { name, constraints } = relation;
  const key = constraints.find(({ kind }) => kind === "primary key");
  const usual = objectName({ table: name, columns: [], label: "pkey" }, new Set());
  const isUsual = key === undefined || (key.name.startsWith(usual) && /^\d*$/.test(key.name.slice(usual.length)));
  return [
    ...(isUsual
      ? []
      : [{ what: "name of the primary key", why: `it is "${key.name}", and a spec names no primary key` }]),
    ...identities.map(({ column, options }) => ({
      what: `options of identity column ${column}`,
      why: `${options}: a spec has none`,
    })),
  ];
}

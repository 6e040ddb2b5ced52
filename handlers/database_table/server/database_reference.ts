import { FieldReader, isObject } from "../../../crds/decode_fields.ts";
import { decodeConnectionSecretRef, decodeDatabaseRef } from "../../../crds/database_table/decode_database.ts";
import type { DatabaseTable } from "../../../crds/database_table/types.ts";

/** In which database the table of an object is. */
export type DatabaseReference =
  /** The operator's own. */
  | { readonly kind: "Default" }
  | { readonly kind: "Database"; readonly namespace: string; readonly name: string }
  /** Always of the object's own namespace: nobody may use what only others may read. */
  | { readonly kind: "Secret"; readonly namespace: string; readonly name: string; readonly key: string | undefined };

/** Which database a spec names, as it came; `undefined` if that cannot be understood. Pure. */
export function referenceOf(spec: unknown, namespace: string): DatabaseReference | undefined {
  if (!isObject(spec)) return { kind: "Default" };
  const reader = new FieldReader(spec, "spec", []);
  const [database, secret] = [decodeDatabaseRef(reader), decodeConnectionSecretRef(reader)];
  if (reader.errors.length > 0 || (database !== undefined && secret !== undefined)) return undefined;
  if (database !== undefined) {
    return { kind: "Database", namespace: database.namespace ?? namespace, name: database.name };
  }
  if (secret !== undefined) return { kind: "Secret", namespace, name: secret.name, key: secret.key };
  return { kind: "Default" };
}

/** `Database shop/orders`, `Secret shop/elsewhere`, `Secret shop/elsewhere[dsn]`; `undefined` for the default. Pure. */
export function serverNameOf(reference: DatabaseReference): string | undefined {
  switch (reference.kind) {
    case "Default":
      return undefined;
    case "Database":
      return `Database ${reference.namespace}/${reference.name}`;
    case "Secret": {
      const { namespace, name, key } = reference;
      return `Secret ${namespace}/${name}${key === undefined ? "" : `[${key}]`}`;
    }
  }
}

/**
 * Where the table of an object was made, if that is another place than its spec names now. Admission denies such a change; this
 * is for what came past it. Pure.
 */
export function formerServerOf({ status }: DatabaseTable, reference: DatabaseReference): string | undefined {
  const { observed } = status ?? {};
  if (observed === undefined || observed.server === serverNameOf(reference)) return undefined;
  return observed.server ?? "the operator's default database";
}

import manifestText from "../../manifests/samples/website-users.yaml" with { type: "text" };
import definitionText from "../../crds/databasetables.kopf.demo.yaml" with { type: "text" };
import { parse } from "@std/yaml";
import { TABLE_RESOURCE } from "../../handlers/database_table/handler.ts";
import { apiVersionOf, type KubeManifest, type ResourceType } from "../../kube/object.ts";

export { TABLE_RESOURCE };

/** The same kind, same schema, in a group that nobody judges or watches: what the API server costs alone. */
export const FLOOR_RESOURCE: ResourceType = { ...TABLE_RESOURCE, group: "floor.tablewright.dev" };

/** The DDL that the sample's table needs, written by hand. */
export function createTableSql(table: string): string {
  return `CREATE TABLE public."${table}" (user_id integer, user_name character varying(50),
    user_email character varying(100), signup_date date, last_login timestamp without time zone, PRIMARY KEY (user_id))`;
}

/** The sample of the README under another name; `table` and `name` must be lower-case. */
export function tableManifest(
  type: ResourceType,
  id: { readonly namespace: string; readonly name: string },
): KubeManifest {
  const sample = parse(manifestText) as KubeManifest & { readonly spec: Record<string, unknown> };
  return {
    ...sample,
    apiVersion: apiVersionOf(type),
    metadata: id,
    spec: { ...sample.spec, tableName: tableName(id.name) },
  };
}

/** The table that an object of that name makes. */
export function tableName(name: string): string {
  return name.replaceAll("-", "_");
}

/** The definition of {@linkcode FLOOR_RESOURCE}. */
export function floorDefinition(): KubeManifest {
  const definition = parse(definitionText) as {
    readonly apiVersion: string;
    readonly kind: string;
    readonly spec: Definition;
  };
  const { group, plural } = FLOOR_RESOURCE;
  const { shortNames: _, categories: __, ...names } = definition.spec.names;
  return { ...definition, metadata: { name: `${plural}.${group}` }, spec: { ...definition.spec, group, names } };
}

interface Definition {
  readonly names: Readonly<Record<string, unknown>>;
}

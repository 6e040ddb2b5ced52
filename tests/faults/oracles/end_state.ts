import { POD, SECRET, SERVICE, VOLUME_CLAIM } from "../../../handlers/database/observe/children.ts";
import { DATABASE_RESOURCE } from "../../../handlers/database/objects.ts";
import { TABLE_RESOURCE } from "../../../handlers/database_table/handler.ts";
import type { KubeObject } from "../../../kube/object.ts";
import type { Stage } from "../stage/stage.ts";
import { readParts } from "./catalog_parts.ts";
import { configurationLines, readConfigurations } from "./configurations.ts";

interface Status {
  readonly observedGeneration?: number;
  readonly applied?: { readonly hash?: string };
  readonly drift?: unknown;
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
}

/** What belongs to one run of a scenario on a stage that others used before: its names end with this. */
export interface Scope {
  /** `7`: the object `subject-7` and the tables `orders_7`, `customers_7`. */
  readonly number: number;
}

/** What the catalog says of the parts of a table beyond their names. */
const DEFINITIONS = `
SELECT format('default of %s: %s', a.attname, pg_get_expr(d.adbin, d.adrelid)) AS line
  FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = $table
UNION ALL SELECT format('constraint %s: %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE conrelid = $table AND contype <> 'n'
UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = $table
UNION ALL SELECT format('comment: %s', description) FROM pg_description WHERE objoid = $table AND classoid = 'pg_class'::regclass
UNION ALL SELECT format('owner: %s', pg_get_userbyid(relowner)) FROM pg_class WHERE oid = $table`;

/**
 * Everything that is there in the end, as lines that do not depend on names of namespaces and runs, on times and oids. What the status
 * tells of the way (`history`, messages) may differ: an operator that died cannot tell what it did.
 */
export async function readEndState(
  { database, user, namespace }: Pick<Stage, "database" | "user" | "namespace">,
  scope?: Scope,
): Promise<readonly string[]> {
  const { sql } = database;
  const isOwn = (name: string) => scope === undefined || new RegExp(`[-_]${scope.number}(-|$)`).test(name);
  const relations = await sql(
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
  );
  const tables = relations.filter(({ relname }) => isOwn(String(relname)));
  const parts = await Promise.all(tables.map(async ({ relname }) => {
    const rows = await sql(`SELECT count(*) AS n FROM public."${relname}"`);
    return [...await readDefinition(database, String(relname)), `table ${relname}: ${rows[0]?.["n"]} rows`];
  }));
  const { items } = await user.list<KubeObject<unknown, Status>>(TABLE_RESOURCE, { namespace });
  const objects = items.map((item) => ({ name: item.metadata.name, line: objectLine(item) }));
  const named = [...await registryLines(sql), ...objects, ...await serverLines({ user, namespace })];
  const own = named.filter(({ name }) => isOwn(name)).map(({ line }) => line);
  // Every instance is named like its namespace.
  const configurations = configurationLines(await readConfigurations(user, namespace));
  return [...parts.flat(), ...own, ...configurations].map((line) =>
    withoutNames(line, scope).replaceAll(namespace, "NAMESPACE")
  )
    .toSorted();
}

/** What the end state tells of one table but for its rows; empty if there is no such table. It may be read while the table changes. */
export async function readDefinition(
  { sql, role }: Pick<Stage["database"], "sql" | "role">,
  table: string,
): Promise<readonly string[]> {
  const definitions = await sql(DEFINITIONS.replaceAll("$table", `to_regclass('public."${table}"')`));
  const lines = [...await readParts(sql, table), ...definitions.map(({ line }) => String(line))];
  return lines.map((line) => `table ${table}: ${line}`.replaceAll(role, "ROLE")).toSorted();
}

/** A text of one run, comparable with that of another one. */
export function withoutNames(text: string, scope: Scope | undefined): string {
  return scope === undefined ? text : text.replaceAll(new RegExp(`([a-z])[-_]${scope.number}(?![0-9])`, "g"), "$1");
}

/** Databases, and what was made for them. */
async function serverLines({ user, namespace }: Pick<Stage, "user" | "namespace">): Promise<readonly NamedLine[]> {
  const databases = await user.list<KubeObject<unknown, Status>>(DATABASE_RESOURCE, { namespace });
  const children = await Promise.all([POD, SERVICE, VOLUME_CLAIM, SECRET].map(async (type) => {
    const { items } = await user.list<ServerChild>(type, { namespace });
    return items.filter(({ metadata }) => metadata.name.startsWith("subject-")).map((child) => ({
      name: child.metadata.name,
      line: childLine(type.kind, child),
    }));
  }));
  return [...databases.items.map((each) => ({ name: each.metadata.name, line: objectLine(each) })), ...children.flat()];
}

type ServerChild =
  & KubeObject<{ readonly containers?: readonly { readonly image: string }[]; readonly selector?: unknown }>
  & {
    readonly data?: Readonly<Record<string, string>>;
  };

/** Passwords are random: only which keys there are, and whether one is used at all. */
function childLine(kind: string, { metadata, spec, data }: ServerChild): string {
  const { name, labels, ownerReferences, deletionTimestamp } = metadata;
  const owners = ownerReferences?.map((owner) => `${owner.kind}/${owner.name}`);
  const images = spec?.containers?.map(({ image }) => image);
  const keys = Object.entries(data ?? {}).map(([key, value]) => value === "" ? `${key} (empty)` : key).toSorted();
  const isGoing = deletionTimestamp !== undefined;
  return `${kind} ${name}: ${JSON.stringify({ labels, owners, images, selector: spec?.selector, keys, isGoing })}`;
}

interface NamedLine {
  readonly name: string;
  readonly line: string;
}

async function registryLines(
  sql: Stage["database"]["sql"],
): Promise<readonly NamedLine[]> {
  const [registry] = await sql("SELECT to_regclass('tablewright.owned_table') IS NOT NULL AS there");
  if (registry?.["there"] !== true) return [];
  const rows = await sql(
    `SELECT name, concat_ws(' ', schema_name, table_name, oid::regclass, name, generation, origin, members, expressions) AS line
    FROM tablewright.owned_table`,
  );
  return rows.map((row) => ({ name: String(row["name"]), line: `registry: ${row["line"]}` }));
}

function objectLine({ metadata, spec, status }: KubeObject<unknown, Status>): string {
  const conditions = (status?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`)
    .toSorted();
  const { observedGeneration, applied, drift } = status ?? {};
  const { name, generation, finalizers } = metadata;
  const said = {
    generation,
    finalizers,
    spec,
    observedGeneration,
    applied: applied?.hash !== undefined,
    drift,
    conditions,
  };
  return `object ${name}: ${JSON.stringify(said)}`;
}

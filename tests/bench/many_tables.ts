import { FINALIZER } from "../../crds/database_table/types.ts";
import type { DatabaseTable } from "../../crds/database_table/types.ts";
import { readClusterId } from "../../handlers/namespace.ts";
import { specHashOf } from "../../handlers/database_table/spec/spec_hash.ts";
import { nextStatus } from "../../handlers/database_table/status.ts";
import { understandSpec } from "../../handlers/database_table/spec/understand.ts";
import { emptyRelation } from "../../postgres/catalog/relation.ts";
import { FINGERPRINT_OF_ONE } from "../../postgres/registry/fingerprint.ts";
import { progress } from "./figure.ts";
import { runBlock } from "./load.ts";
import { startOperator } from "./operator.ts";
import type { Stage } from "./stage.ts";
import { createTableSql, TABLE_RESOURCE, tableManifest, tableName } from "./tables.ts";

export const MANY = 10_000;
const PREFIX = "many";
const CHUNK = 500;
const WRITE = { inFlight: 50 };

const made = new WeakMap<Stage, Promise<void>>();

/**
 * What 10,000 creates would have left behind: objects that are Ready, their tables, their rows in the registry. Made once a
 * stage, in bulk, since making them one by one is another benchmark; the operator that starts afterwards finds no difference.
 */
export function prepareManyTables(stage: Stage): Promise<void> {
  const preparing = made.get(stage) ?? prepare(stage);
  made.set(stage, preparing);
  return preparing;
}

async function prepare(stage: Stage): Promise<void> {
  progress(`${MANY} tables and their objects`);
  // It installs the definition and the registry.
  await (await startOperator(stage)).stop();
  const clusterId = await readClusterId(stage.client, [], new AbortController().signal) ?? "";
  const objects = new Map<number, DatabaseTable>();
  await runBlock({ count: MANY, ...WRITE }, async (index) => {
    objects.set(index, await createObject(stage, index));
  });
  for (let first = 0; first < MANY; first += CHUNK) {
    const indexes = Array.from({ length: Math.min(CHUNK, MANY - first) }, (_, offset) => first + offset);
    await makeTables(stage, { clusterId, objects, indexes });
  }
  await stage.sql.unsafe("ANALYZE");
}

function nameOf(index: number): string {
  return `${PREFIX}-${index}`;
}

async function createObject({ client, namespace }: Stage, index: number): Promise<DatabaseTable> {
  const manifest = tableManifest(TABLE_RESOURCE, { namespace, name: nameOf(index) });
  const policies = { adoptionPolicy: "Never", deletionPolicy: "Delete" };
  const created = await client.create(TABLE_RESOURCE, {
    ...manifest,
    metadata: { ...manifest.metadata, finalizers: [FINALIZER] },
    spec: { ...manifest["spec"] as object, ...policies },
  });
  const object = created.object as unknown as DatabaseTable;
  const status = nextStatus(object, {
    finding: {
      kind: "Ready",
      relation: { ...emptyRelation("public", tableName(nameOf(index))), oid: index + 1 },
      specHash: await hashOf(object),
      database: namespace,
    },
    ran: { change: "Created", statements: [createTableSql(tableName(nameOf(index)))] },
  }, new Date().toISOString().replace(/\.\d+Z$/, "Z"));
  const reference = { namespace, name: nameOf(index), subresource: "status" };
  await client.patch(TABLE_RESOURCE, reference, { patch: { kind: "merge", value: { status } } });
  return object;
}

async function hashOf({ spec }: DatabaseTable): Promise<string> {
  const { desired } = await understandSpec(spec);
  if (desired?.table === undefined) throw new Error("the sample of the README must be understood");
  return specHashOf(desired.table);
}

async function makeTables(
  { sql, role, namespace }: Stage,
  made: {
    readonly clusterId: string;
    readonly objects: ReadonlyMap<number, DatabaseTable>;
    readonly indexes: readonly number[];
  },
): Promise<void> {
  const { clusterId, objects, indexes } = made;
  const tables = indexes.map((index) => tableName(nameOf(index)));
  const creations = tables.map((table) => `${createTableSql(table)}; ALTER TABLE public."${table}" OWNER TO ${role}`);
  await sql.unsafe(creations.join("; "));
  const rows = await Promise.all(indexes.map(async (index) => {
    const object = objects.get(index);
    if (object === undefined) throw new Error(`object ${index} was not made`);
    const { name, uid } = object.metadata;
    return `('${tableName(name)}', '${name}', '${uid}'::uuid, '${await hashOf(object)}')`;
  }));
  await sql.unsafe(
    `INSERT INTO tablewright.owned_table (schema_name, table_name, oid, cluster_id, namespace, name, uid, generation,
       spec_hash, origin, members, expressions, fingerprint)
     SELECT 'public', v.relname, c.oid, '${clusterId}'::uuid, '${namespace}', v.name, v.uid, 1, v.hash, 'created',
       jsonb_build_object('constraint', jsonb_build_array(v.relname || '_pkey'), 'index', '[]'::jsonb, 'column',
         (SELECT jsonb_agg(a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0)),
       '{}', ${FINGERPRINT_OF_ONE}
     FROM (VALUES ${rows.join(", ")}) AS v(relname, name, uid, hash)
     JOIN pg_class c ON c.relnamespace = 'public'::regnamespace AND c.relname = v.relname`,
  );
}

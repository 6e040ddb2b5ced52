import type { KubeClient } from "../../kube/client/client.ts";
import { progress, report, reportLatency } from "./figure.ts";
import { compare, latenciesOf, runBlock } from "./load.ts";
import { startOperator } from "./operator.ts";
import { deleteAll } from "./cleanup.ts";
import type { Stage } from "./stage.ts";
import { createTableSql, FLOOR_RESOURCE, TABLE_RESOURCE, tableManifest, tableName } from "./tables.ts";

const ROUNDS = 10;
const BLOCK = { count: 20, inFlight: 1 };

/** From the create to the commit that makes the table visible; the floor is a create without webhooks, then the DDL by hand. */
export async function benchCreate(stage: Stage): Promise<void> {
  const { client, namespace, sql } = stage;
  const operator = await startOperator(stage);
  try {
    progress("one create -> table visible");
    await using commits = await CommitListener.open(stage);
    let serial = 0;
    const before = await countWrites(client);
    const { measured, floor } = await compare(ROUNDS, {
      floor: () =>
        runBlock(BLOCK, async () => {
          const name = `one-floor-${serial++}`;
          const visible = commits.next();
          await client.create(FLOOR_RESOURCE, tableManifest(FLOOR_RESOURCE, { namespace, name }));
          await sql.unsafe(createTableSql(tableName(name)));
          await visible;
        }),
      measured: () =>
        runBlock(BLOCK, async () => {
          const name = `one-table-${serial++}`;
          const visible = commits.next();
          await client.create(TABLE_RESOURCE, tableManifest(TABLE_RESOURCE, { namespace, name }));
          await visible;
        }),
    });
    reportLatency("one create -> table visible", latenciesOf(measured), latenciesOf(floor));
    const created = BLOCK.count * (ROUNDS + 1);
    const writes = await countWrites(client) - before - created;
    report({
      name: "API writes for one create, Events not counted",
      value: writes / created,
      floor: null,
      unit: "calls",
      runs: created,
    });
  } finally {
    await deleteAll(stage);
    await operator.stop();
  }
}

/** Hears of each committed CREATE TABLE at once; asking for it in a loop would take the cores that are measured. */
class CommitListener {
  readonly #stage: Stage;
  #unlisten: () => Promise<void> = () => Promise.resolve();
  #heard = Promise.withResolvers<void>();

  private constructor(stage: Stage) {
    this.#stage = stage;
  }

  static async open(stage: Stage): Promise<CommitListener> {
    const listener = new CommitListener(stage);
    await stage.sql.unsafe(`CREATE FUNCTION public.bench_notify() RETURNS event_trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_catalog.pg_notify('bench', ''); END $$`);
    await stage.sql.unsafe(`CREATE EVENT TRIGGER bench_notify ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
      EXECUTE FUNCTION public.bench_notify()`);
    const { unlisten } = await stage.sql.listen("bench", () => listener.#heard.resolve());
    listener.#unlisten = unlisten;
    return listener;
  }

  /** Resolves with the next commit from now on. */
  next(): Promise<void> {
    this.#heard = Promise.withResolvers<void>();
    return this.#heard.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#unlisten();
    await this.#stage.sql.unsafe("DROP EVENT TRIGGER bench_notify");
    await this.#stage.sql.unsafe("DROP FUNCTION public.bench_notify()");
  }
}

/** Writes to our kind, dry-runs left out, that the API server has answered so far. */
async function countWrites(client: KubeClient): Promise<number> {
  const { object } = await client.request<string>("GET", "/metrics");
  const { group, plural } = TABLE_RESOURCE;
  return object.split("\n")
    .filter((line) => line.startsWith("apiserver_request_total{") && line.includes('dry_run=""'))
    .filter((line) => line.includes(`group="${group}"`) && line.includes(`resource="${plural}"`))
    .filter((line) => /verb="(POST|PUT|PATCH|APPLY)"/.test(line))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

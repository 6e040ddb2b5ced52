import { percentile, progress, report, reportLatency } from "./figure.ts";
import { type Block, compare, latenciesOf, rateOf, runBlock } from "./load.ts";
import { startOperator } from "./operator.ts";
import type { Stage } from "./stage.ts";
import { FLOOR_RESOURCE, TABLE_RESOURCE, tableManifest } from "./tables.ts";
import type { ResourceType } from "../../kube/object.ts";

const IN_FLIGHT = 20;

/** What both webhooks and the live plan add to a create; the floor is a kind without webhooks. Dry-run: nothing is stored. */
export async function benchAdmission(stage: Stage): Promise<void> {
  const operator = await startOperator(stage);
  try {
    let serial = 0;
    const create = async (type: ResourceType) => {
      const name = `dry-${serial++}`;
      await stage.client.create(type, tableManifest(type, { namespace: stage.namespace, name }), { dryRun: true });
    };
    const blocks = (size: { count: number; inFlight: number }) => ({
      floor: (): Promise<Block> => runBlock(size, () => create(FLOOR_RESOURCE)),
      measured: (): Promise<Block> => runBlock(size, () => create(TABLE_RESOURCE)),
    });
    progress("admission: one at a time");
    await compare(1, blocks({ count: 500, inFlight: 5 }));
    const single = await compare(30, blocks({ count: 50, inFlight: 1 }));
    reportLatency("admission", latenciesOf(single.measured), latenciesOf(single.floor));
    progress(`admission: ${IN_FLIGHT} in flight`);
    const parallel = await compare(5, blocks({ count: 500, inFlight: IN_FLIGHT }));
    const { measured, floor } = parallel;
    const runs = latenciesOf(measured).length;
    const name = `admission, ${IN_FLIGHT} in flight`;
    report({ name, value: rateOf(measured), floor: rateOf(floor), unit: "1/s", runs });
    const p99 = (series: readonly Block[]) => percentile(latenciesOf(series), 0.99);
    report({ name: `${name}, p99`, value: p99(measured), floor: p99(floor), unit: "ms", runs });
  } finally {
    await operator.stop();
  }
}

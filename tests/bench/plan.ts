import { planTable } from "../../postgres/plan/plan.ts";
import { emptyTable, type Table } from "../../postgres/table.ts";
import { percentile, report } from "./figure.ts";

const SIZES = [1, 10, 100, 400];
const RUNS = 400;

/** The planner alone, without parsing: one column of the table is new, and one default changes. Its floor is a comparison as JSON. */
export async function benchPlan(): Promise<void> {
  for (const size of SIZES) {
    const observed = tableOf(size, "'old'");
    const desired = tableOf(size + 1, "'new'");
    const sample = (work: () => unknown) => {
      const samples: number[] = [];
      for (let run = 0; run < RUNS * 2; run++) {
        const started = performance.now();
        work();
        // The first half warms up.
        if (run >= RUNS) samples.push((performance.now() - started) * 1_000);
      }
      return samples;
    };
    const value = percentile(sample(() => planTable(desired, observed)), 0.5);
    const floor = percentile(sample(() => JSON.stringify(desired) === JSON.stringify(observed)), 0.5);
    report({ name: `planTable ${size} columns p50`, value, floor, unit: "µs", runs: RUNS });
  }
}

function tableOf(size: number, last: string): Table {
  const columns = Array.from({ length: size }, (_, index) => ({
    name: `column_${index}`,
    type: index % 3 === 0 ? "integer" : "character varying(50)",
    notNull: index % 2 === 0,
    ...(index % 5 === 4 ? { default: index > size - 6 ? last : "'x'" } : {}),
  }));
  return {
    ...emptyTable("public", "bench"),
    columns,
    primaryKey: { name: "bench_pkey", columns: ["column_0"] },
    uniques: size < 10 ? [] : [{ name: "bench_key", columns: ["column_1"], nullsNotDistinct: false }],
    checks: size < 10 ? [] : [{ name: "bench_check", expression: "column_0 > 0", validated: true }],
  };
}

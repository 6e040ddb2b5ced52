import { benchAdmission } from "./admission.ts";
import { benchBulk } from "./bulk.ts";
import { benchCreate } from "./create.ts";
import { progress } from "./figure.ts";
import { benchMemory } from "./memory.ts";
import { benchPlan } from "./plan.ts";
import { benchReviews } from "./reviews.ts";
import { benchRestart } from "./restart.ts";
import { openStage, type Stage } from "./stage.ts";
import { benchStart } from "./start.ts";
import { benchServe } from "./serve.ts";
import { benchSweep } from "./sweep.ts";
import { benchVerdict } from "./verdict.ts";

// Real servers, loopback only. Every figure stands beside its floor; none is a test.
const BENCHMARKS: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  start: benchStart,
  serve: benchServe,
  memory: benchMemory,
  admission: benchAdmission,
  reviews: benchReviews,
  create: benchCreate,
  bulk: benchBulk,
  restart: benchRestart,
  sweep: benchSweep,
  plan: benchPlan,
  verdict: benchVerdict,
};

const known = Object.keys(BENCHMARKS);
const unknown = Deno.args.find((name) => !known.includes(name));
if (unknown !== undefined) {
  progress(`Cannot run the benchmark "${unknown}": it must be one of ${known.join(", ")}`);
  Deno.exit(64);
}
const chosen = Deno.args.length === 0 ? known : Deno.args;
const stage = await openStage();
try {
  for (const name of chosen) await BENCHMARKS[name]?.(stage);
} finally {
  await stage.close();
}

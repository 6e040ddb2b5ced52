import { TABLE_RESOURCE } from "../../../handlers/database_table/handler.ts";
import type { ResourceType } from "../../../kube/object.ts";
import { delay } from "@std/async/delay";
import { eventually } from "../../harness/wait.ts";
import type { CrashPoint } from "../crash_switch.ts";
import { assertNoneGaveUp, openStage, type Stage } from "./stage.ts";
import { PATIENCE } from "./stage_objects.ts";
import { act, isEffectOn, prepare, settled } from "./scenario_acts.ts";
import { compareOutcomes, markOf, type Outcome, readFaults, readOutcome, storyOf } from "../verdict.ts";

/**
 * One thing that a user does with an object of ours. Every name of a table is written with `_N`, which becomes the number of the run: many runs
 * use one database.
 */
export interface Scenario {
  /** For messages; the plans of docs/promises.md are called by it. */
  readonly name: string;
  /** Absent: DatabaseTable. */
  readonly type?: ResourceType;
  /** SQL of the operator's role before the object is there. */
  readonly given?: readonly string[];
  /** The spec that is Ready before anything breaks. */
  readonly before?: Spec;
  /** SQL of an application, once that is so. */
  readonly rows?: readonly string[];
  /** What the user applies then; absent: the object is deleted. */
  readonly after?: Spec;
  /** Further objects that are applied and deleted with this one, by what stands behind its name. */
  readonly others?: Readonly<Record<string, Spec>>;
  /** With which the objects are applied then. */
  readonly metadata?: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
  };
  /** Whether the user then approves the plan that waits. */
  readonly approves?: boolean;
  /** Whether the API server asks the operator about each write of the user. */
  readonly webhooks?: boolean;
  /** Which effects belong to the run. Default: those on its objects and on the database. */
  readonly effects?: RegExp;
  /** Which DDL must be the same in each run. Default: all. */
  readonly ddl?: RegExp;
  /** A condition that ends the run, where it is not Ready. */
  readonly until?: readonly { readonly condition: string; readonly reason: string }[];
  /** How often the status is written depends on how fast others are: a run may be over before the last point. */
  readonly varies?: boolean;
  /** Whether the next operator dies, too: at its first effect. */
  readonly twice?: boolean;
}

/** Of a table or of a server. */
export type Spec = Readonly<Record<string, unknown>>;

/** An undisturbed run. */
export interface Reference {
  readonly outcome: Outcome;
  /** What an operator did to the world, in order: it is killed before and after each. */
  readonly effects: readonly string[];
}

/** Every place where an operator can die. */
export function crashPoints({ effects }: Reference): readonly CrashPoint[] {
  return effects.flatMap((_, index) => (["before", "after"] as const).map((when) => ({ effect: index + 1, when })));
}

/** Runs of one scenario, one after the other; whatever was killed in one is replaced by a new process for the next. */
export class ScenarioRuns implements AsyncDisposable {
  readonly #stage: Stage;
  readonly #scenario: Scenario;
  /** More than a table has columns: `tablewright_nn_2` names one. */
  #number = 100;

  private constructor(stage: Stage, scenario: Scenario) {
    this.#stage = stage;
    this.#scenario = scenario;
  }

  /** Opens a stage with an operator that has made its registry. */
  static async open(scenario: Scenario): Promise<ScenarioRuns> {
    const runs = await ScenarioRuns.openEmpty(scenario);
    await runs.#stage.start();
    await eventually("the registry is there", async () => {
      const [row] = await runs.#stage.database.sql("SELECT to_regclass('tablewright.history') IS NOT NULL AS made");
      return row?.["made"] === true;
    });
    return runs;
  }

  /** Opens a stage on which no operator was yet: the first run also starts it. */
  static async openEmpty(scenario: Scenario): Promise<ScenarioRuns> {
    // With what makes it unique it also names the instance, which takes 42 characters.
    const plan = `crash-${scenario.name.replaceAll(" ", "-").toLowerCase()}`.slice(0, 35).replace(/-$/, "");
    return new ScenarioRuns(await openStage(plan, { webhooks: scenario.webhooks === true }), scenario);
  }

  /** A run without any fault. */
  async undisturbed(): Promise<Reference> {
    const outcome = await this.#run(undefined);
    return { outcome, effects: [...this.#stage.crash.effects] };
  }

  /** A run whose operator is killed at a point, and replaced. @returns what is wrong in the end. */
  async crashed(reference: Reference, point: CrashPoint): Promise<readonly string[]> {
    const faults = await this.#run(point).then(
      (outcome) => compareOutcomes(reference.outcome, outcome),
      (error) => [String(error)],
    );
    return [...faults, ...storyOf(this.#stage, faults)];
  }

  /** Lets the operator end. @returns what is wrong with all runs together. */
  async end(): Promise<readonly string[]> {
    await this.#stage.stop();
    const faults = await readFaults(this.#stage);
    return [...faults, ...storyOf(this.#stage, faults)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stage.close();
  }

  async #run(point: CrashPoint | undefined): Promise<Outcome> {
    const stage = this.#stage;
    const scope = { number: ++this.#number };
    const { role, sql } = stage.database;
    const scenario = JSON.parse(JSON.stringify(this.#scenario).replaceAll("_N", `_${scope.number}`)) as Scenario;
    for (const text of scenario.given ?? []) await sql(`SET ROLE ${role}; ${text}; RESET ROLE`);
    const subject = { type: scenario.type ?? TABLE_RESOURCE, name: `subject-${scope.number}` };
    await prepare(stage, subject, scenario);
    for (const text of scenario.rows ?? []) await sql(text);
    const isFirst = stage.operators.length === 0;
    if (!isFirst) await idle(stage);
    const mark = await markOf(stage);
    const counts = this.#scenario.effects;
    const arm = (at: CrashPoint | undefined) =>
      stage.crash.arm(at, (label) => counts === undefined ? isEffectOn(subject, label) : counts.test(label));
    arm(point);
    if (isFirst) stage.launch();
    // A user may have to wait for the operator that comes next.
    const acted = act(stage, subject, scenario);
    const over = async () => {
      await acted;
      await settled(stage, subject, scenario);
      if (scenario.webhooks === true) await registered(stage);
    };
    if (point !== undefined) {
      await dieAndRise(stage, scenario, over);
      if (scenario.twice === true) {
        arm({ effect: 1, when: point.when });
        await dieAndRise(stage, { ...scenario, varies: true }, over);
      }
    }
    await over();
    await idle(stage);
    const outcome = await readOutcome(stage, mark, scope);
    return { ...outcome, ddl: outcome.ddl.filter((line) => this.#scenario.ddl?.test(line) !== false) };
  }
}

/** Waits until the last operator has registered its webhooks. */
async function registered({ operators }: Stage): Promise<void> {
  const isRegistered = () => operators.at(-1)?.log.some(({ message }) => message === "Webhooks are registered");
  await eventually("the webhooks are registered", isRegistered, PATIENCE);
}

/** Waits until the operator was killed, and starts the next one. */
async function dieAndRise(stage: Stage, { name, varies }: Scenario, over: () => Promise<void>): Promise<void> {
  const { crash } = stage;
  const undisturbed = over().then(() => idle(stage)).catch(() => {});
  await Promise.race([crash.fired, undisturbed]);
  // The last effect may be on its way while its success can be seen already.
  if (!crash.hasFired && varies !== true) await Promise.race([crash.fired, never(name)]);
  // Nobody waits until it is ready: what counts is that the work is done.
  if (crash.hasFired) stage.launch();
  else crash.disarm();
}

async function never(name: string): Promise<never> {
  await delay(30_000);
  throw new Error(`${name}: the operator did not come to the effect at which it dies`);
}

/** Waits until the operator has looked at everything and nothing waits for it. */
export async function idle(stage: Stage): Promise<void> {
  const { operators } = stage;
  await eventually("the operator is idle", async () => {
    assertNoneGaveUp(stage);
    const metrics = (await operators.at(-1)?.ask("/metrics"))?.text;
    const figure = (pattern: RegExp) => [...metrics?.matchAll(pattern) ?? []].map(([, value]) => Number(value));
    const busy = figure(
      /^(?:workqueue_depth|controller_runtime_active_workers)\{[^}]*"database(?:table)?"[^}]*\} (\d+)$/gm,
    );
    return busy.length >= 2 && busy.every((value) => value === 0);
  }, PATIENCE);
}

import { APPROVE_ANNOTATION } from "../../../crds/database_table/types.ts";
import { TABLE_RESOURCE } from "../../../handlers/database_table/handler.ts";
import { eventually } from "../../harness/wait.ts";
import type { Scenario, Spec } from "./scenario.ts";
import type { Stage } from "./stage.ts";
import {
  applyObject,
  conditionOf,
  deleteObject,
  objectGone,
  objectReady,
  readObject,
  type Subject,
} from "./stage_objects.ts";

/** Whether something is an effect on the objects of a run: what is made for others belongs to another run. */
export function isEffectOn({ type, name }: Subject, label: string): boolean {
  const isSql = !/^[A-Z]+ [a-z]+\//.test(label);
  // In the database nothing is done for a server.
  return isSql ? type.kind === TABLE_RESOURCE.kind : new RegExp(`/${name}([-/]|$)`).test(label);
}

/** Applies what stands there before anything breaks, and waits until it is so. */
export async function prepare(stage: Stage, subject: Subject, { before, others }: Scenario): Promise<void> {
  if (before === undefined) return;
  await applyAll(stage, subject, { spec: before, others });
  for (const each of subjectsOf(subject, others)) await objectReady(stage, each);
}

/** What the user does, up to the end. */
export async function act(stage: Stage, subject: Subject, scenario: Scenario): Promise<void> {
  const { after, others, metadata } = scenario;
  if (after === undefined) { for (const each of subjectsOf(subject, others)) await deleteObject(stage, each); }
  else await applyAll(stage, { ...subject, metadata }, { spec: after, others });
  if (scenario.approves === true) await approve(stage, subject);
}

/** Waits until what the user asked for is so. */
export async function settled(stage: Stage, subject: Subject, { after, until, others }: Scenario): Promise<void> {
  const subjects = subjectsOf(subject, others);
  if (after === undefined) { for (const each of subjects) await objectGone(stage, each); }
  else if (until === undefined) { for (const each of subjects) await objectReady(stage, each); }
  else for (const each of until) await conditionOf(stage, subject, { ...each, reason: new RegExp(each.reason) });
}

interface Applied {
  readonly spec: Spec;
  readonly others: Scenario["others"];
}

async function applyAll(stage: Stage, subject: Subject, { spec, others = {} }: Applied): Promise<void> {
  await applyObject(stage, subject, spec);
  for (const [suffix, other] of Object.entries(others)) {
    await applyObject(stage, { ...subject, name: `${subject.name}-${suffix}` }, other);
  }
}

function subjectsOf(subject: Subject, others: Scenario["others"] = {}): readonly Subject[] {
  return [subject, ...Object.keys(others).map((suffix) => ({ ...subject, name: `${subject.name}-${suffix}` }))];
}

/** Waits for a plan of the object as it is now, and approves it. */
async function approve(stage: Stage, subject: Subject): Promise<void> {
  await conditionOf(stage, subject, { condition: "ApprovalRequired=True", reason: /./ });
  const hash = await eventually(`${subject.name} shows its plan`, async () => {
    const status = (await readObject(stage, subject))?.status as { plan?: { hash?: string } } | undefined;
    return status?.plan?.hash;
  });
  const { namespace, user } = stage;
  const value = { metadata: { annotations: { [APPROVE_ANNOTATION]: hash } } };
  await user.patch(subject.type, { namespace, name: subject.name }, { patch: { kind: "merge", value } });
}

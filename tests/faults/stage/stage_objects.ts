import { NETWORK_POLICY, POD, SECRET, SERVICE, VOLUME_CLAIM } from "../../../handlers/database/observe/children.ts";
import { DATABASE_RESOURCE } from "../../../handlers/database/objects.ts";
import { TABLE_RESOURCE } from "../../../handlers/database_table/handler.ts";
import { isKubeError } from "../../../kube/client/client.ts";
import { apiVersionOf, type KubeObject, type ResourceType } from "../../../kube/object.ts";
import { eventually } from "../../harness/wait.ts";
import type { PlanSpec } from "../oracles/catalog_parts.ts";
import { type ClaimedStatus, claimsReady } from "../oracles/honesty.ts";
import { assertNoneGaveUp, type Stage } from "./stage.ts";

/** An object of ours as a plan reads it. */
export type TableObject = KubeObject<PlanSpec, ClaimedStatus & { readonly message?: string }>;

/** What is asked for again and again should cost little beside what it waits for, and a replaced operator has to start first. */
export const PATIENCE = { pauseMs: 50, withinMs: 120_000 };

/** An object of ours, by its kind and name. */
export interface Subject {
  readonly type: ResourceType;
  readonly name: string;
  /** With which it is applied, beside name and namespace. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** Applies an object as a user, who reads what is answered and tries again where an operator was killed: nobody answers for a moment. */
export async function applyObject(stage: Stage, subject: Subject, spec: unknown): Promise<void> {
  await eventually(`${subject.name} is applied`, () => tryApply(stage, subject, { spec }), PATIENCE);
}

/** One try of that. @returns whether it was granted; `false` if nobody answered the API server. */
export async function tryApply(
  { user, namespace, heard }: Stage,
  { type, name, metadata }: Subject,
  { spec, dryRun = false }: { readonly spec: unknown; readonly dryRun?: boolean },
): Promise<boolean> {
  const whole = { ...metadata, name, namespace };
  const manifest = { apiVersion: apiVersionOf(type), kind: type.kind, metadata: whole, spec };
  const where = `the answer to an apply of ${name}`;
  try {
    const { warnings } = await user.apply(type, manifest, { force: true, dryRun });
    heard.push(...warnings.map((text) => ({ where, text })));
    return true;
  } catch (error) {
    heard.push({ where, text: String(error) });
    if (isWebhookSilent(String(error))) return false;
    throw error;
  }
}

/** Whether the API server refused something only because it could not ask the operator in time. */
export function isWebhookSilent(answer: string): boolean {
  return answer.includes("failed calling webhook");
}

/** Deletes an object as a user. */
export async function deleteObject({ user, namespace }: Stage, { type, name }: Subject): Promise<void> {
  await user.delete(type, { namespace, name });
}

/** Applies a table as a user. */
export async function applyTable(stage: Stage, name: string, spec: PlanSpec): Promise<void> {
  await applyObject(stage, { type: TABLE_RESOURCE, name }, spec);
}

/** Deletes a table's object as a user. */
export async function deleteTable(stage: Stage, name: string): Promise<void> {
  await deleteObject(stage, { type: TABLE_RESOURCE, name });
}

/** Reads an object as whoever waits for it does; `undefined` if there is none. */
export async function readObject(stage: Stage, { type, name }: Subject): Promise<TableObject | undefined> {
  assertNoneGaveUp(stage);
  const { user, namespace } = stage;
  try {
    return await user.get<TableObject>(type, { namespace, name });
  } catch (error) {
    if (isKubeError(error, 404)) return undefined;
    throw error;
  }
}

/** Waits until an object's status claims that its spec, as it is now, is reached. */
export async function tableReady(stage: Stage, name: string): Promise<void> {
  await objectReady(stage, { type: TABLE_RESOURCE, name });
}

/** Waits until an object's status claims that its spec, as it is now, is reached. */
export async function objectReady(stage: Stage, subject: Subject): Promise<void> {
  await eventually(`${stage.namespace}/${subject.name} is Ready`, async () => {
    const object = await readObject(stage, subject);
    return object?.status !== undefined && claimsReady(object.status, object.metadata.generation);
  }, PATIENCE);
}

/** Waits until an object is gone. */
export async function tableGone(stage: Stage, name: string): Promise<void> {
  await objectGone(stage, { type: TABLE_RESOURCE, name });
}

/** Waits until an object is gone, and what was made for it: that of a Database is collected by the cluster, a while later. */
export async function objectGone(stage: Stage, subject: Subject): Promise<void> {
  const gone = async () => await readObject(stage, subject) === undefined;
  await eventually(`${stage.namespace}/${subject.name} is gone`, gone, PATIENCE);
  if (subject.type !== DATABASE_RESOURCE) return;
  const alone = async () => (await readChildren(stage, subject)).length === 0;
  await eventually(`what was made for ${stage.namespace}/${subject.name} is gone`, alone, PATIENCE);
}

async function readChildren({ user, namespace }: Stage, { type, name }: Subject): Promise<readonly KubeObject[]> {
  const lists = await Promise.all(
    [POD, SERVICE, VOLUME_CLAIM, SECRET, NETWORK_POLICY].map((each) => user.list<KubeObject>(each, { namespace })),
  );
  const isOwned = ({ metadata }: KubeObject) =>
    metadata.ownerReferences?.some((owner) => owner.kind === type.kind && owner.name === name) === true;
  return lists.flatMap(({ items }) => items).filter(isOwned);
}

/** Waits for `Ready=False` with a reason, of the object as it is now; answers its message. */
export async function tableWaits(stage: Stage, name: string, reason: RegExp): Promise<string> {
  return (await conditionOf(stage, { type: TABLE_RESOURCE, name }, { condition: "Ready=False", reason })).message;
}

interface ToldCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
}

/** Waits for a condition of the object as it is now. */
export async function conditionOf(
  stage: Stage,
  subject: Subject,
  wanted: { readonly condition: string; readonly reason: RegExp },
): Promise<ToldCondition> {
  const { condition, reason } = wanted;
  return await eventually(`${stage.namespace}/${subject.name} has ${condition} ${reason}`, async () => {
    const object = await readObject(stage, subject);
    const conditions = (object?.status?.conditions ?? []) as readonly ToldCondition[];
    return conditions.find((each) =>
      `${each.type}=${each.status}` === condition && reason.test(each.reason) &&
      each.observedGeneration === object?.metadata.generation
    );
  });
}

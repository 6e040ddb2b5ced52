import { type ClaimedStatus, claimsReady } from "./honesty.ts";

/** The part of a Pod that a Database speaks of. */
export interface SeenPod {
  readonly metadata: { readonly deletionTimestamp?: string };
  readonly spec?: { readonly containers?: readonly { readonly image: string }[] };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** The part of a Database's spec that its Pod shows. */
export interface ServerSpec {
  readonly version?: string;
}

/** What a false claim of a Database is, in one line; empty if the claim is true or none is made. */
export function serverLies(
  status: ClaimedStatus,
  object: { readonly name: string; readonly generation: number | undefined; readonly spec: ServerSpec },
  pod: SeenPod | undefined,
): readonly string[] {
  if (!claimsReady(status, object.generation)) return [];
  return podFaults(object.spec, pod)
    .map((fault) => `Database ${object.name}: Ready=True of generation ${object.generation}, but ${fault}`);
}

function podFaults({ version }: ServerSpec, pod: SeenPod | undefined): readonly string[] {
  if (pod === undefined) return ["there is no Pod"];
  const isReady = pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
  const images = (pod.spec?.containers ?? []).map(({ image }) => image);
  const isOfVersion = version === undefined || images.some((image) => image.endsWith(`:${version}`));
  return [
    ...(pod.metadata.deletionTimestamp === undefined ? [] : ["its Pod is ending"]),
    ...(isReady ? [] : ["its Pod is not Ready"]),
    ...(isOfVersion ? [] : [`its Pod has ${images.join(", ")} and not ${version}`]),
  ];
}

import type { FieldError } from "../../../crds/field_error.ts";
import { buildBinding, hostOf } from "../build/binding.ts";
import { SERVICE, type Service } from "../observe/children.ts";
import { bindingName, type Server } from "../build/desired.ts";
import { keepClaim } from "./keep_claim.ts";
import { keepCredentials, type KnownCredentials } from "./keep_credentials.ts";
import { keepPod, type PodOutcome } from "./keep_pod.ts";
import { SERVER_VERSION } from "../observe/labels.ts";
import { buildNetworkPolicy } from "../build/network_policy.ts";
import { podStateOf } from "../observe/pod_state.ts";
import { changeFaults, formerChildren, nameFaults } from "../policy.ts";
import { rotateCredentials } from "./rotate.ts";
import { buildService } from "../build/service.ts";
import type { Facts, Finding } from "../status.ts";
import { keep, type Step } from "./step.ts";
import { isTakenOver, takeOverPod } from "./take_over.ts";

/** What one reconcile found and did. */
export interface Outcome {
  readonly finding: Finding;
  readonly facts: Facts;
  /** When to look again, sooner than usual, in milliseconds. */
  readonly recheckMs?: number;
}

/** The garbage collector needs a moment for what an earlier object of the name has left. */
const FORMER_MS = 1_000;

/** Makes everything that a server consists of; each step may be the last one before a crash, and the next one finds it. */
export async function converge(observed: Step): Promise<Outcome> {
  const refusal = refusalOf(observed);
  if (refusal !== undefined) return refusal;
  const step = await takeOverPod(observed);
  const service = await keepService(step);
  const made = isTakenOver(step.children.pod) ? {} : await keepLogin(step);
  if ("blocked" in made) return { finding: made.blocked, facts: factsOf(step, { service }) };
  const pod = await keepPod(step);
  const { recheckMs: loginMs = Infinity, ...rest } = made;
  const recheckMs = Math.min(loginMs, pod.kind === "resting" ? pod.recheckMs : Infinity);
  const facts = factsOf(step, { service, pod, ...rest });
  return { finding: findingOf(pod), facts, ...(recheckMs === Infinity ? {} : { recheckMs }) };
}

function findingOf(pod: PodOutcome): Finding {
  switch (pod.kind) {
    case "kept":
    case "outdated":
      return { kind: "Made" };
    case "replacing":
      return { kind: "Waiting", reason: "ReplacingPod", message: pod.message };
    case "resting":
      return { kind: "Waiting", reason: "PodFailed", message: pod.message };
  }
}

/** What keeps everything as it is. Pure. */
function refusalOf({ server, children }: Step): Outcome | undefined {
  const { identity, login } = server;
  const facts: Facts = { pod: podStateOf(children.pod), isTakenOver: isTakenOver(children.pod) };
  const refuse = (reason: "NameTaken" | "ChangeRefused", errors: readonly FieldError[]): Outcome => ({
    finding: { kind: "Faulty", reason, errors },
    facts,
  });
  const taken = nameFaults(children, identity, login.isUserSecret);
  if (taken.length > 0) return refuse("NameTaken", taken);
  const former = formerChildren(children, identity, login.isUserSecret);
  if (former.length > 0) {
    const message = `waiting for what an earlier Database ${identity.name} left: ${former.join(", ")}`;
    return { finding: { kind: "Waiting", reason: "WaitingForRemoval", message }, facts, recheckMs: FORMER_MS };
  }
  const refused = changeFaults(server, children);
  return refused.length > 0 ? refuse("ChangeRefused", refused) : undefined;
}

interface Login {
  readonly storage?: Facts["storage"];
  readonly rotation?: Facts["rotation"];
  readonly binding?: string;
  readonly recheckMs?: number;
}

/** Passwords first: a volume that is older than its Secret could not be opened. */
async function keepLogin(step: Step): Promise<Login | { readonly blocked: Finding }> {
  const credentials = await keepCredentials(step);
  if (credentials.kind === "blocked") return { blocked: credentials.finding };
  const storage = await keepClaim(step);
  const rotation = await rotateCredentials(step, credentials);
  await keepBinding(step, rotation.credentials);
  await keepNetworkPolicy(step);
  return {
    binding: bindingName(step.server.identity.name),
    ...(storage === undefined ? {} : { storage }),
    ...(rotation.fact === undefined ? {} : { rotation: rotation.fact }),
    ...(rotation.recheckMs === undefined ? {} : { recheckMs: rotation.recheckMs }),
  };
}

async function keepBinding(step: Step, credentials: KnownCredentials): Promise<void> {
  await keep(step, step.children.binding, await buildBinding(step.server, credentials));
}

async function keepNetworkPolicy(step: Step): Promise<void> {
  const { server, children: { networkPolicy }, context, signal } = step;
  if (server.spec.networkPolicy) await keep(step, networkPolicy, buildNetworkPolicy(server));
  else if (networkPolicy !== undefined) await context.objects.removeNetworkPolicy(networkPolicy, signal);
}

/** The Service as it is afterwards: the API server chooses its address and node port. */
async function keepService(step: Step): Promise<Service | undefined> {
  const { server, children, context, signal } = step;
  const { namespace, name } = server.identity;
  const outcome = await keep(step, children.service, buildService(server));
  if (outcome === "kept") return children.service;
  return await context.objects.read<Service>(SERVICE, { namespace, name }, signal);
}

interface Made extends Omit<Login, "recheckMs"> {
  readonly service: Service | undefined;
  readonly pod?: PodOutcome;
}

function factsOf({ children, server }: Step, made: Made): Facts {
  const { pod } = children;
  const version = pod?.metadata.annotations?.[SERVER_VERSION];
  const { service, pod: outcome, storage, rotation, binding } = made;
  return {
    pod: podStateOf(pod),
    isTakenOver: isTakenOver(pod),
    ...(version === undefined ? {} : { version }),
    ...(service === undefined ? {} : { endpoint: endpointOf(server, service) }),
    ...(binding === undefined ? {} : { binding }),
    ...(storage === undefined ? {} : { storage }),
    ...(rotation === undefined ? {} : { rotation }),
    ...(outcome?.kind === "outdated" ? { upgrade: outcome.message } : {}),
  };
}

/** Where clients connect. */
export function endpointOf(server: Server, { spec }: Service): NonNullable<Facts["endpoint"]> {
  const nodePort = spec?.ports?.find(({ port }) => port === server.servicePort)?.nodePort;
  return { host: hostOf(server), port: server.servicePort, ...(nodePort === undefined ? {} : { nodePort }) };
}

import { KubeError } from "../../../kube/client/client.ts";
import { PostgresError } from "../../../postgres/session/errors.ts";
import {
  buildCredentials,
  NEXT_PASSWORD,
  PASSWORD,
  type Passwords,
  ROTATED_AT,
  ROTATION_STARTED_AT,
  withTypeOf,
} from "../build/credentials.ts";
import type { KnownCredentials } from "./keep_credentials.ts";
import { podStateOf } from "../observe/pod_state.ts";
import type { Facts } from "../status.ts";
import type { Step } from "./step.ts";

/** How long the kubelet may take until the mounted files have the next password too: only then may the server ask for it. */
export const PROPAGATION_MS = 120_000;
const RETRY_MS = 10_000;

export interface Rotation {
  readonly credentials: KnownCredentials;
  readonly fact?: Facts["rotation"];
  readonly recheckMs?: number;
}

/**
 * Changes the password when `auth.rotateRequestedAt` names a time that was not seen before (postgres only).
 *
 * 1. the next password is written into the Secret under a key of its own, and reaches the files of the Pod;
 * 2. ALTER ROLE, logged in with the password or, if that was done already, the next one;
 * 3. the next password becomes the password.
 *
 * Wherever it is cut off, both passwords are in the Secret, and it goes on from there.
 */
export async function rotateCredentials(step: Step, credentials: KnownCredentials): Promise<Rotation> {
  const { server } = step;
  const requestedAt = server.spec.auth.rotateRequestedAt;
  const isDue = requestedAt !== undefined && requestedAt !== credentials.annotations[ROTATED_AT];
  if (!isDue || server.spec.type !== "postgres" || server.login.isUserSecret) return { credentials };
  const next = credentials.passwords[NEXT_PASSWORD];
  // A clock that was set back says nothing of how long the Pod has had the next password.
  if (next === undefined || startedAtMs(credentials) > step.context.now().getTime()) {
    return await begin(step, credentials);
  }
  const waitMs = propagationMs(step, credentials);
  if (waitMs > 0) return { credentials, recheckMs: waitMs, fact: waitingFact() };
  return await finish(step, credentials, { next, requestedAt });
}

async function begin(step: Step, credentials: KnownCredentials): Promise<Rotation> {
  const { context } = step;
  const startedAt = context.now().toISOString();
  const pending = await write(step, {
    passwords: {
      ...credentials.passwords,
      [NEXT_PASSWORD]: credentials.passwords[NEXT_PASSWORD] ?? context.newPassword(),
    },
    annotations: { ...credentials.annotations, [ROTATION_STARTED_AT]: startedAt },
  });
  return { credentials: pending, recheckMs: PROPAGATION_MS, fact: waitingFact() };
}

async function finish(
  step: Step,
  credentials: KnownCredentials,
  { next, requestedAt }: { readonly next: string; readonly requestedAt: string },
): Promise<Rotation> {
  const failure = await changePassword(step, { current: credentials.passwords[PASSWORD] ?? "", next });
  if (failure !== undefined) {
    return { credentials, recheckMs: RETRY_MS, fact: { reason: "RotationFailing", message: failure } };
  }
  const { [NEXT_PASSWORD]: _, ...rest } = credentials.passwords;
  const rotated = await write(step, {
    passwords: { ...rest, [PASSWORD]: next },
    annotations: { [ROTATED_AT]: requestedAt },
  });
  const note = `the password of role ${step.server.login.username} was changed, as asked for at ${requestedAt}`;
  step.context.recordEvent(step.object, { type: "Normal", reason: "CredentialsRotated", note });
  return { credentials: rotated };
}

/** @returns why it could not be done. */
async function changePassword(
  { server, children, context, signal }: Step,
  passwords: { readonly current: string; readonly next: string },
): Promise<string | undefined> {
  const host = children.service?.spec?.clusterIP;
  if (host === undefined || podStateOf(children.pod).kind !== "ready") return "waiting for the Pod to be Ready";
  const { username, database } = server.login;
  try {
    await context.changePassword({ host, port: server.servicePort, username, database }, passwords, signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof PostgresError)) throw error;
    return error.message;
  }
}

async function write(
  { server, children, context, signal }: Step,
  { passwords, annotations }: {
    readonly passwords: Passwords;
    readonly annotations: Readonly<Record<string, string>>;
  },
): Promise<KnownCredentials> {
  const live = children.credentials;
  if (live === undefined) {
    throw new KubeError("The Secret with the passwords is gone", { status: 409, reason: "Conflict" });
  }
  const manifest = withTypeOf(live, await buildCredentials(server, passwords, annotations));
  await context.objects.correct(live, manifest, signal);
  return { kind: "known", passwords, annotations };
}

function propagationMs({ context, children }: Step, credentials: KnownCredentials): number {
  // A Pod that does not run reads the files when it starts.
  if (children.pod === undefined) return 0;
  const startedAt = startedAtMs(credentials);
  return Number.isNaN(startedAt) ? 0 : startedAt + PROPAGATION_MS - context.now().getTime();
}

/** Milliseconds since 1970; NaN if it is not said. */
function startedAtMs({ annotations }: KnownCredentials): number {
  return Date.parse(annotations[ROTATION_STARTED_AT] ?? "");
}

function waitingFact(): Facts["rotation"] {
  return { reason: "WaitingForPod", message: "the next password is on its way into the Pod, whose probes need it" };
}

import { invalid } from "../../../crds/field_error.ts";
import type { Secret } from "../observe/children.ts";
import {
  ADMIN_PASSWORD,
  buildCredentials,
  decodeData,
  DIGEST,
  digestOf,
  firstPasswords,
  NEXT_PASSWORD,
  PASSWORD,
  type Passwords,
  ROTATED_AT,
  ROTATION_STARTED_AT,
  withTypeOf,
} from "../build/credentials.ts";
import { bindingName } from "../build/desired.ts";
import { markOf } from "../observe/labels.ts";
import type { Finding } from "../status.ts";
import { keep, make, type Step } from "./step.ts";

/** The password that applications log in with, and of which rotation it is. */
export interface KnownCredentials {
  readonly kind: "known";
  readonly passwords: Passwords;
  readonly annotations: Readonly<Record<string, string>>;
}

export type Credentials = KnownCredentials | { readonly kind: "blocked"; readonly finding: Finding };

/**
 * Makes or corrects the Secret with the passwords. While a Pod or a volume lives, no password is ever made up: the server would
 * not know it. What was deleted or edited comes back from the binding.
 */
export async function keepCredentials(step: Step): Promise<Credentials> {
  const { server, children } = step;
  if (server.login.isUserSecret) return readUserSecret(step);
  const live = children.credentials;
  if (live === undefined) return await makeCredentials(step);
  const annotations = ownAnnotations(live);
  const passwords = await rightPasswords(step, live);
  if (passwords === undefined) {
    return lost(step, "its password was changed, and the binding does not have the one before");
  }
  await keep(step, live, withTypeOf(live, await buildCredentials(server, passwords, annotations)));
  return { kind: "known", passwords, annotations };
}

/** The passwords as we wrote them, with those that are missing; `undefined` if nobody has the user's any more. */
async function rightPasswords(step: Step, live: Secret): Promise<Passwords | undefined> {
  const { server, children: { binding }, context, object } = step;
  const stored = decodeData(live.data);
  const digest = live.metadata.annotations?.[DIGEST] ?? binding?.metadata.annotations?.[DIGEST];
  const bound = decodeData(binding?.data)[PASSWORD];
  const password = await findPassword([stored[PASSWORD], bound], digest);
  if (password === undefined) return undefined;
  if (password !== stored[PASSWORD]) {
    const note = `Secret ${server.login.secretName} was changed: the password that the server knows is back`;
    context.recordEvent(object, { type: "Warning", reason: "SecretRestored", note });
  }
  const needsAdmin = server.login.adminKey === ADMIN_PASSWORD;
  const admin = stored[ADMIN_PASSWORD] ?? (needsAdmin ? context.newPassword() : undefined);
  return { ...keyOf(NEXT_PASSWORD, stored[NEXT_PASSWORD]), ...keyOf(ADMIN_PASSWORD, admin), [PASSWORD]: password };
}

/** The first one that has the digest; without a digest, the first one that is there. */
async function findPassword(
  candidates: readonly (string | undefined)[],
  digest: string | undefined,
): Promise<string | undefined> {
  for (const candidate of candidates) {
    if (candidate === undefined || candidate === "") continue;
    if (digest === undefined || await digestOf(candidate) === digest) return candidate;
  }
  return undefined;
}

function ownAnnotations(secret: Secret): Readonly<Record<string, string>> {
  const { annotations = {} } = secret.metadata;
  return {
    ...keyOf(ROTATED_AT, annotations[ROTATED_AT]),
    ...keyOf(ROTATION_STARTED_AT, annotations[ROTATION_STARTED_AT]),
  };
}

async function makeCredentials(step: Step): Promise<Credentials> {
  const { server, object, children, context } = step;
  const { binding } = children;
  const fresh = firstPasswords(server, context.newPassword);
  if (children.pod === undefined && children.claim === undefined) {
    // A rotation that was asked for before the first password was made is done with it.
    const annotations = keyOf(ROTATED_AT, server.spec.auth.rotateRequestedAt);
    await make(step, await buildCredentials(server, fresh, annotations));
    return { kind: "known", passwords: fresh, annotations };
  }
  const bound = await findPassword([decodeData(binding?.data)[PASSWORD]], binding?.metadata.annotations?.[DIGEST]);
  if (bound === undefined) return lost(step, "it is gone");
  const passwords = { ...fresh, [PASSWORD]: bound };
  const annotations = keyOf(ROTATED_AT, binding?.metadata.annotations?.[ROTATED_AT]);
  await make(step, await buildCredentials(server, passwords, annotations));
  const note =
    `Secret ${server.login.secretName} was gone and is made again from ${bindingName(server.identity.name)}; ` +
    "a password of the administrator in it is new, and the server does not know it";
  context.recordEvent(object, { type: "Warning", reason: "SecretRestored", note });
  return { kind: "known", passwords, annotations };
}

function lost({ server }: Step, why: string): Credentials {
  const labels = Object.entries(markOf(server.identity)).map(([key, value]) => `${key}=${value}`).join(" and ");
  const message =
    `Secret ${server.login.secretName} cannot be used: ${why}; put it back with the key ${PASSWORD} and the labels ` +
    `${labels}, since the server has its password and no other is made while its Pod or volume lives`;
  return {
    kind: "blocked",
    finding: { kind: "Faulty", reason: "CredentialsLost", errors: [invalid("spec.auth", message)] },
  };
}

function readUserSecret({ server, children }: Step): Credentials {
  const passwords = decodeData(children.credentials?.data);
  const password = passwords[PASSWORD];
  if (password !== undefined && password !== "") {
    return { kind: "known", passwords: { [PASSWORD]: password }, annotations: {} };
  }
  const message = `Secret ${server.login.secretName} ${
    children.credentials === undefined ? "does not exist" : `has no key ${PASSWORD}`
  }: spec.auth.secretRef names it`;
  return { kind: "blocked", finding: { kind: "Waiting", reason: "WaitingForSecret", message } };
}

function keyOf(key: string, value: string | undefined): Readonly<Record<string, string>> {
  return value === undefined ? {} : { [key]: value };
}

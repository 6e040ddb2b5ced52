import type { Secret } from "../observe/children.ts";
import type { KubeManifest } from "../../../kube/object.ts";
import type { Server } from "./desired.ts";
import { labelsOf, ownerReferenceOf } from "../observe/labels.ts";

/** Keys of the Secret with the passwords; each is a file in the Pod. */
export const PASSWORD = "password";
export const ADMIN_PASSWORD = "admin-password";
/** While a rotation runs: the password that the server has or will have next. */
export const NEXT_PASSWORD = "next-password";

/** When the last rotation was asked for that has been done. */
export const ROTATED_AT = "tablewright.dev/rotated-at";
/** When the next password was written. */
export const ROTATION_STARTED_AT = "tablewright.dev/rotation-started-at";

/** Tells which of two copies of the password is the one that was written by us. */
export const DIGEST = "tablewright.dev/password-digest";

/** The passwords of a server as texts, by key. */
export type Passwords = Readonly<Record<string, string>>;

/**
 * The Secret with the passwords. Only an explicit `Delete` makes it go with the Database: without it the files of the server
 * cannot be read any more.
 */
export async function buildCredentials(
  { identity, spec, login }: Server,
  passwords: Passwords,
  annotations: Readonly<Record<string, string>>,
): Promise<KubeManifest> {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      namespace: identity.namespace,
      name: login.secretName,
      labels: labelsOf(identity, spec.type),
      annotations: { ...annotations, [DIGEST]: await digestOf(passwords[PASSWORD] ?? "") },
      ...(spec.deletionPolicy === "Delete" ? { ownerReferences: [ownerReferenceOf(identity)] } : {}),
    },
    type: "kubernetes.io/basic-auth",
    data: encodeData({ username: login.username, ...passwords }),
  };
}

/** The manifest for a Secret that is there: its type cannot be changed, and whoever put it back may have chosen another one. */
export function withTypeOf({ type }: Secret, manifest: KubeManifest): KubeManifest {
  return type === undefined ? manifest : { ...manifest, type };
}

/** What shows that a password is the one that was written: it has 190 random bits, so nobody finds it from these 64. */
export async function digestOf(password: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(password));
  return new Uint8Array(digest).toHex().slice(0, 16);
}

/** The passwords of a server that was never started. */
export function firstPasswords({ login }: Server, newPassword: () => string): Passwords {
  return {
    [PASSWORD]: newPassword(),
    ...(login.adminKey === ADMIN_PASSWORD ? { [ADMIN_PASSWORD]: newPassword() } : {}),
  };
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/**
 * 32 letters and digits (190 bits): no shell, URL or SQL needs to escape them.
 *
 * @param fill Fills the bytes with randomness.
 */
export function generatePassword(fill: (bytes: Uint8Array<ArrayBuffer>) => void): string {
  let password = "";
  const bytes = new Uint8Array(64);
  while (password.length < 32) {
    fill(bytes);
    // Bytes above the last whole multiple would make some characters likelier.
    for (const byte of bytes) if (byte < 248 && password.length < 32) password += ALPHABET[byte % 62] ?? "";
  }
  return password;
}

/** As a Secret stores it. */
export function encodeData(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, new TextEncoder().encode(text).toBase64()]),
  );
}

/** What a Secret stores; the newline that editors leave at the end is no part of a password, neither for the images. */
export function decodeData(data: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(data).map(([key, text]) => [
      key,
      new TextDecoder().decode(Uint8Array.fromBase64(text)).replace(/\n+$/, ""),
    ]),
  );
}

import { type CallOptions, isKubeError, type KubeClient } from "../client/client.ts";
import type { KubeObject, ResourceType } from "../object.ts";
import type { ServingIdentity } from "./serving_identity.ts";

/** What a store holds. */
export interface StoredIdentity {
  /** May be damaged in any way. */
  readonly identity: ServingIdentity;
  /** Of which write it is. */
  readonly version: string;
}

/** Where replicas find the identity that they share. */
export interface IdentityStore {
  /** `undefined` if nothing is stored. */
  read(options?: CallOptions): Promise<StoredIdentity | undefined>;
  /** Writes unless somebody else did meanwhile; says whether it did. */
  write(identity: NewIdentity, options?: CallOptions): Promise<boolean>;
}

/** An identity to be stored. */
export interface NewIdentity {
  readonly identity: ServingIdentity;
  /** What it replaces; absent: nothing was stored. */
  readonly replaces: string | undefined;
}

/** For an operator without replicas, where no Secret can be kept: it ends with the process. */
export class MemoryIdentityStore implements IdentityStore {
  #stored: StoredIdentity | undefined;

  read(): Promise<StoredIdentity | undefined> {
    return Promise.resolve(this.#stored);
  }

  write({ identity }: NewIdentity): Promise<boolean> {
    this.#stored = { identity, version: "" };
    return Promise.resolve(true);
  }
}

export interface SecretIdentityOptions {
  readonly client: Pick<KubeClient, "get" | "apply">;
  readonly namespace: string;
  readonly name: string;
  /** Another one for each Pod: only then does the API server see two first writers as a conflict. */
  readonly fieldManager: string;
}

const SECRET: ResourceType = { group: "", version: "v1", plural: "secrets", kind: "Secret", namespaced: true };

type SecretObject = KubeObject & { readonly data?: Readonly<Record<string, string>> };

/**
 * An identity in a Secret that replicas agree on. Written by apply only, since a role that names the Secret may not POST: the first
 * time without force, so that of two first writers one gets a conflict and reads; later under the resource version that was read.
 */
export class SecretIdentityStore implements IdentityStore {
  readonly #options: SecretIdentityOptions;

  constructor(options: SecretIdentityOptions) {
    this.#options = options;
  }

  async read(call: CallOptions = {}): Promise<StoredIdentity | undefined> {
    const { client, namespace, name } = this.#options;
    try {
      const secret = await client.get<SecretObject>(SECRET, { namespace, name }, call);
      return { identity: decodeIdentity(secret.data ?? {}), version: secret.metadata.resourceVersion };
    } catch (error) {
      if (isKubeError(error, 404)) return undefined;
      throw error;
    }
  }

  async write({ identity, replaces }: NewIdentity, call: CallOptions = {}): Promise<boolean> {
    const { client, namespace, name, fieldManager } = this.#options;
    const labels = { "app.kubernetes.io/managed-by": "tablewright" };
    const precondition = replaces === undefined ? {} : { resourceVersion: replaces };
    const metadata = { name, namespace, labels, ...precondition };
    const manifest = { apiVersion: "v1", kind: "Secret", metadata, data: encodeIdentity(identity) };
    try {
      await client.apply(SECRET, manifest, { ...call, fieldManager, force: replaces !== undefined });
      return true;
    } catch (error) {
      if (isKubeError(error, 409)) return false;
      throw error;
    }
  }
}

/** All keys, always: one that is left out would keep the value that another replica applied. */
function encodeIdentity(
  { authority, nextAuthority, formerAuthorities, leaf }: ServingIdentity,
): Record<string, string> {
  const texts = {
    "ca.crt": authority.certificate,
    "ca.key": authority.privateKey,
    "next-ca.crt": nextAuthority?.certificate ?? "",
    "next-ca.key": nextAuthority?.privateKey ?? "",
    "former-ca.crt": formerAuthorities.map((pem) => pem.trim()).join("\n"),
    "tls.crt": leaf.certificate,
    "tls.key": leaf.privateKey,
  };
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, new TextEncoder().encode(text).toBase64()]),
  );
}

function decodeIdentity(data: Readonly<Record<string, string>>): ServingIdentity {
  const text = (key: string) => decodeText(data[key] ?? "");
  const next = { certificate: text("next-ca.crt"), privateKey: text("next-ca.key") };
  return {
    authority: { certificate: text("ca.crt"), privateKey: text("ca.key") },
    ...(next.certificate === "" ? {} : { nextAuthority: next }),
    formerAuthorities: text("former-ca.crt").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [],
    leaf: { certificate: text("tls.crt"), privateKey: text("tls.key") },
  };
}

/** Somebody may have written anything: it is then no PEM, and replaced. */
function decodeText(base64: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(base64));
  } catch {
    return "";
  }
}

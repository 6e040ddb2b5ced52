import type { AdmissionRequest } from "./admission_review.ts";

/** On a dry-run object: asks the admission server to prove that it is the one that holds the shared key. */
export const PROBE_ANNOTATION = "tablewright.dev/probe";

/** A UUID, a dot and 64 hexadecimal digits fit. */
const MAX_NONCE_LENGTH = 128;

/**
 * Proves that a webhook configuration leads to an operator that holds the key: a dry-run create with a nonce must come
 * back with the nonce's proof. Only then may a configuration fail closed, since a wrong address would lock the kind.
 *
 * A nonce carries a tag under the same key, so it is answered only if this operator, or a replica with the same key, made it:
 * nobody else gets anything signed here.
 */
export class ProbeResponder {
  readonly #key: Promise<CryptoKey>;

  /** @param secret Of any length; the key is derived from it, so that nothing else it is used for can be learnt from proofs. */
  constructor(secret: Uint8Array<ArrayBuffer>) {
    this.#key = deriveKey(secret);
    // Whoever asks first hears of a failure.
    this.#key.catch(() => {});
  }

  /** A nonce that holders of the key answer: `<random>.<tag>`. */
  async createNonce(random: string): Promise<string> {
    return `${random}.${await this.#sign(`nonce ${random}`)}`;
  }

  /** The warning that answers a probe; `undefined` if the request is none of ours. A probe is never stored: it must be dry-run. */
  async answer(request: AdmissionRequest): Promise<string | undefined> {
    const nonce = request.object?.metadata.annotations?.[PROBE_ANNOTATION];
    if (!request.dryRun || typeof nonce !== "string" || nonce.length > MAX_NONCE_LENGTH) return undefined;
    return await this.#isOurs(nonce) ? await this.proofOf(nonce) : undefined;
  }

  /** `tablewright <HMAC-SHA-256 over the nonce, hex>`. */
  async proofOf(nonce: string): Promise<string> {
    return `tablewright ${await this.#sign(`proof ${nonce}`)}`;
  }

  async #isOurs(nonce: string): Promise<boolean> {
    const [, random = "", tag = ""] = /^([^.]+)\.([0-9a-f]{64})$/.exec(nonce) ?? [];
    // Compares in constant time.
    return tag !== "" &&
      await crypto.subtle.verify("HMAC", await this.#key, Uint8Array.fromHex(tag), encode(`nonce ${random}`));
  }

  /** Each use begins with its own word, so that no nonce can be passed off as a proof. */
  async #sign(text: string): Promise<string> {
    return new Uint8Array(await crypto.subtle.sign("HMAC", await this.#key, encode(text))).toHex();
  }
}

async function deriveKey(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const algorithm = {
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(),
    info: encode("tablewright webhook probe"),
  };
  const usage = { name: "HMAC", hash: "SHA-256", length: 256 };
  return await crypto.subtle.deriveKey(algorithm, base, usage, false, ["sign", "verify"]);
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

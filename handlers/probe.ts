import type { AdmissionRequest } from "./admission_review.ts";

/** On a dry-run object: asks the admission server to prove that it is the one that holds the shared key. */
export const PROBE_ANNOTATION = "tablewright.dev/probe";

/**
 * Proves that a webhook configuration leads to an operator that holds the key: a dry-run create with a nonce must come
 * back with the nonce's HMAC. Only then may a configuration fail closed, since a wrong address would lock the kind.
 */
export class ProbeResponder {
  readonly #key: Promise<CryptoKey>;

  constructor(secret: Uint8Array<ArrayBuffer>) {
    this.#key = crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  }

  /** The warning that answers a probe; `undefined` if the request is none. A probe is never stored: it must be dry-run. */
  async answer(request: AdmissionRequest): Promise<string | undefined> {
    const nonce = request.object?.metadata.annotations?.[PROBE_ANNOTATION];
    if (!request.dryRun || typeof nonce !== "string" || nonce.length > 128) return undefined;
    return await this.proofOf(nonce);
  }

  /** `tablewright <HMAC-SHA-256 of the nonce, hex>`. */
  async proofOf(nonce: string): Promise<string> {
    const signature = await crypto.subtle.sign("HMAC", await this.#key, new TextEncoder().encode(nonce));
    return `tablewright ${new Uint8Array(signature).toHex()}`;
  }
}

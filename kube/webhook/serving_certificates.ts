import type { KeyPair } from "./certificate.ts";

/** What the admission server shows, and what leads to it. */
export interface ServedCertificate {
  readonly pair: KeyPair;
  /** PEM of every authority that the API server is to trust; absent where somebody else (cert-manager) tells it. */
  readonly caBundle?: string;
  /** The same for all replicas and known to nobody else: proofs are made with it. */
  readonly sharedSecret: string;
}

/** Where serving certificates come from, and how they stay valid. */
export interface ServingCertificates {
  readonly served: ServedCertificate;
  /** Notices what others renewed, in every replica, and tells each change. Ends with `signal`; never rejects. */
  follow(onChange: (served: ServedCertificate) => void, signal: AbortSignal): Promise<void>;
  /**
   * Renews, in one replica at a time. Ends with `signal`; never rejects.
   *
   * @param isAnnounced Whether every API server must have heard of that CA bundle.
   */
  lead(isAnnounced: (caBundle: string) => boolean, signal: AbortSignal): Promise<void>;
}

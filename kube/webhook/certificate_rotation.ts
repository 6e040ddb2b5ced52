import { certificateValidity } from "./certificate_fault.ts";
import type { IdentityStore, NewIdentity, StoredIdentity } from "./identity_store.ts";
import { patiently } from "../client/patience.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { ServedCertificate, ServingCertificates } from "./serving_certificates.ts";
import {
  caBundleOf,
  createServingIdentity,
  identityFault,
  type IdentityStep,
  type IdentitySubject,
  nextIdentityStep,
  type ServingIdentity,
  takeIdentityStep,
} from "./serving_identity.ts";
import { pause, type Timing } from "../timing.ts";

export interface CertificateRotationOptions {
  readonly store: IdentityStore;
  readonly subject: IdentitySubject;
  readonly timing: Pick<Timing, "now" | "uptime" | "random" | "delay">;
  readonly logger: Logger;
}

/** The wall clock is looked at this often: one long timer would stand still while a machine sleeps. */
const LOOK_MS = 60_000;
const CALL_TIMEOUT_MS = 10_000;
const START_ATTEMPTS = 10;

/** Certificates under an authority of our own, kept in a store that replicas share and renewed by one of them. */
export class CertificateRotation implements ServingCertificates {
  readonly #options: CertificateRotationOptions;
  #identity: ServingIdentity;
  #onChange: (served: ServedCertificate) => void = () => {};

  private constructor(options: CertificateRotationOptions, identity: ServingIdentity) {
    this.#options = options;
    this.#identity = identity;
  }

  /**
   * Reads the identity that is stored, or makes one: also where that one ended, is damaged, or is for other names.
   *
   * A store that is away for a moment is waited for.
   *
   * @throws {KubeError} if the store cannot be used.
   */
  static async start(options: CertificateRotationOptions, signal: AbortSignal): Promise<CertificateRotation> {
    for (let attempt = 1; attempt <= START_ATTEMPTS; attempt++) {
      const identity = await startIdentity(options, signal);
      if (identity !== undefined) return new CertificateRotation(options, identity);
    }
    throw new Error(`Cannot agree on a certificate: others wrote ${START_ATTEMPTS} times what cannot be served here`);
  }

  get served(): ServedCertificate {
    const { leaf, authority } = this.#identity;
    const caBundle = caBundleOf(this.#identity, this.#now());
    return { pair: leaf, caBundle, sharedSecret: authority.privateKey };
  }

  async follow(onChange: (served: ServedCertificate) => void, signal: AbortSignal): Promise<void> {
    this.#onChange = onChange;
    await this.#everyMinute(async () => {
      const stored = await this.#read(signal);
      if (stored !== undefined && this.#faultOf(stored.identity) === undefined) this.#adopt(stored.identity);
    }, signal);
  }

  async lead(isAnnounced: (caBundle: string) => boolean, signal: AbortSignal): Promise<void> {
    await this.#everyMinute(() => this.#renew(isAnnounced, signal), signal);
  }

  async #renew(isAnnounced: (caBundle: string) => boolean, signal: AbortSignal): Promise<void> {
    const stored = await this.#read(signal);
    const isIntact = stored !== undefined && this.#faultOf(stored.identity) === undefined;
    // What was deleted or damaged comes back as it was: everybody trusts it already.
    const identity = isIntact ? stored.identity : this.#identity;
    const step = nextIdentityStep(identity, this.#options.subject.names, this.#now());
    const mustWait = step.kind === "useNextAuthority" && !isAnnounced(caBundleOf(identity, this.#now()));
    if (isIntact && (step.kind === "keep" || mustWait)) return;
    const { subject, store } = this.#options;
    const next = mustWait ? identity : await takeIdentityStep(identity, step, { subject, now: this.#now() });
    if (signal.aborted) return;
    const written = await store.write({ identity: next, replaces: stored?.version }, { timeoutMs: CALL_TIMEOUT_MS });
    if (!written) return;
    this.#report(isIntact ? step.kind : "restored", next);
    this.#adopt(next);
  }

  #adopt(identity: ServingIdentity): void {
    const before = this.served;
    this.#identity = identity;
    const { served } = this;
    const isSame = before.caBundle === served.caBundle && before.sharedSecret === served.sharedSecret &&
      before.pair.certificate === served.pair.certificate;
    if (!isSame) this.#onChange(served);
  }

  async #read(signal: AbortSignal): Promise<StoredIdentity | undefined> {
    return await this.#options.store.read({ signal, timeoutMs: CALL_TIMEOUT_MS });
  }

  #faultOf(identity: ServingIdentity): string | undefined {
    return identityFault(identity, this.#options.subject.names, this.#now());
  }

  #report(step: IdentityStep["kind"] | "restored", { leaf, authority }: ServingIdentity): void {
    this.#options.logger.info("webhook certificates renewed", {
      step,
      certificateEnds: certificateValidity(leaf.certificate).notAfter.toISOString(),
      authorityEnds: certificateValidity(authority.certificate).notAfter.toISOString(),
    });
  }

  async #everyMinute(look: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { timing, logger } = this.#options;
    while (!signal.aborted) {
      try {
        await look();
      } catch (error) {
        if (!signal.aborted) logger.warn("the webhook certificates cannot be looked after now", { error });
      }
      await pause(timing, LOOK_MS, signal);
    }
  }

  #now(): Date {
    return new Date(this.#options.timing.now());
  }
}

/** What to begin with; `undefined` if another replica wrote at the same moment. */
async function startIdentity(
  { store, subject, timing, logger }: CertificateRotationOptions,
  signal: AbortSignal,
): Promise<ServingIdentity | undefined> {
  const call = { signal, timeoutMs: CALL_TIMEOUT_MS };
  const write = (next: NewIdentity) => patiently(() => store.write(next, call), { timing, signal, logger });
  const now = new Date(timing.now());
  const stored = await patiently(() => store.read(call), { timing, signal, logger });
  if (stored === undefined) {
    const identity = await createServingIdentity(subject, now);
    return await write({ identity, replaces: undefined }) ? identity : undefined;
  }
  const step = nextIdentityStep(stored.identity, subject.names, now);
  if (step.kind !== "replace" && step.kind !== "replaceLeaf") return stored.identity;
  logger.warn("the stored webhook certificate is replaced", { reason: step.reason });
  const identity = await takeIdentityStep(stored.identity, step, { subject, now });
  return await write({ identity, replaces: stored.version }) ? identity : undefined;
}

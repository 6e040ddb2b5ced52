import type { Hono } from "hono";
import {
  type CertificateAuthority,
  certificateExpiry,
  createCertificateAuthority,
  issueCertificate,
  type KeyPair,
} from "../kube/certificate.ts";
import type { KubeClient } from "../kube/client.ts";
import type { Logger } from "../kube/logger.ts";
import type { ResourceType } from "../kube/object.ts";
import type { Timing } from "../kube/timing.ts";
import {
  buildWebhookConfigurations,
  deleteWebhookConfigurations,
  type FailurePolicy,
  type WebhookConfigurations,
  type WebhookKind,
} from "../kube/webhook_configuration.ts";
import { registerWebhooks } from "../kube/webhook_registration.ts";
import { warnOfExpiry } from "./certificate_warning.ts";
import type { Config } from "./config.ts";
import { ProbeResponder } from "./probe.ts";
import { proveWebhooks } from "./prove.ts";
import type { KindHandler } from "./registry.ts";
import { createAdmissionApp } from "./server.ts";
import type { Telemetry } from "./telemetry.ts";

export interface AdmissionOptions {
  readonly config: Config;
  /** Whether the API server runs on this machine and ends with us: only then may it call a loopback address. */
  readonly embeddedCluster: boolean;
  readonly client: KubeClient;
  readonly kinds: readonly KindHandler[];
  /** A kind of ours whose dry-run create proves that the webhooks lead here. */
  readonly probeType: ResourceType;
  readonly timing: Timing;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
}

const AUTHORITY_DAYS = 365;
/** Until something renews it: a shorter one would lock the kinds of an operator that nobody restarts. */
const LEAF_DAYS = 365;
const UNREGISTER_TIMEOUT_MS = 5_000;

/** The admission server's identity, its app, and its registration with the API server. */
export class Admission {
  readonly app: Hono;
  readonly servingPair: KeyPair;
  readonly #options: AdmissionOptions;
  readonly #authority: CertificateAuthority;
  readonly #probe: ProbeResponder;
  readonly #url: string | undefined;
  /** Absent while this process did not register anything: what is there is another replica's. */
  #registering: Promise<unknown> | undefined;

  private constructor(
    options: AdmissionOptions,
    identity: { authority: CertificateAuthority; leaf: KeyPair; url: string | undefined },
  ) {
    this.#options = options;
    this.#authority = identity.authority;
    this.#url = identity.url;
    this.servingPair = identity.leaf;
    this.#probe = new ProbeResponder(new TextEncoder().encode(identity.authority.privateKey));
    this.app = createAdmissionApp({ ...options, probe: this.#probe });
  }

  /** Makes a certificate authority and a serving certificate for every name under which the API server may call. */
  static async create(options: AdmissionOptions): Promise<Admission> {
    const now = new Date(options.timing.now());
    const url = webhookAddress(options.config, options.embeddedCluster);
    const commonName = options.config.instance;
    const authority = await createCertificateAuthority({
      commonName: `${commonName}-ca`,
      validDays: AUTHORITY_DAYS,
      now,
    });
    const host = url === undefined ? "localhost" : new URL(url).hostname.replace(/^\[|\]$/g, "");
    const isAddress = /^[0-9.]+$|:/.test(host);
    const leaf = await issueCertificate(authority, {
      commonName,
      dnsNames: ["localhost", ...(isAddress ? [] : [host])],
      ipAddresses: ["127.0.0.1", ...(isAddress ? [host] : [])],
      usage: "server",
      validDays: LEAF_DAYS,
      now,
    });
    return new Admission(options, { authority, leaf, url });
  }

  /** Registers the webhooks, or says why admission is off. Returns when requests are judged, or at once if it is off. */
  async register(signal: AbortSignal): Promise<void> {
    const { config, client, timing, logger } = this.#options;
    if (this.#url === undefined) {
      logger.warn("admission is off: bad changes are refused by the loop only", { reason: admissionOffReason(config) });
      return;
    }
    const registering = registerWebhooks({
      client,
      build: (failurePolicy) => this.#configurations(failurePolicy),
      listens: (attempt) => this.listens(attempt),
      prove: (attempt) => this.#prove(attempt),
      finalFailurePolicy: config.dev ? "Ignore" : "Fail",
      timing,
      logger,
    }, signal);
    this.#registering = registering.catch(() => {});
    await registering;
  }

  /** Warns while the serving certificate is about to end; ends with `signal`. */
  async watchCertificate(signal: AbortSignal): Promise<void> {
    if (this.#url === undefined) return;
    const { timing, logger } = this.#options;
    await warnOfExpiry({ expiry: certificateExpiry(this.servingPair.certificate), timing, logger }, signal);
  }

  /**
   * Removes what leads to an address that ends with this process: it would lock the kinds. Abort the signal of `register()` before.
   * Never rejects.
   */
  async unregister(): Promise<void> {
    if (this.#url === undefined) return;
    if (this.#registering === undefined) return;
    await this.#registering;
    const { client, config, logger } = this.#options;
    try {
      await deleteWebhookConfigurations(client, config.instance, AbortSignal.timeout(UNREGISTER_TIMEOUT_MS));
    } catch (error) {
      logger.warn("the webhook configurations could not be removed", { instance: config.instance, error });
    }
  }

  #configurations(failurePolicy: FailurePolicy): WebhookConfigurations {
    const { config, kinds } = this.#options;
    return buildWebhookConfigurations({
      instance: config.instance,
      kinds: kinds.map(webhookKindOf),
      target: { kind: "url", url: this.#url ?? "" },
      caBundle: this.#authority.certificate,
      failurePolicy,
      namespaces: config.namespaces,
    });
  }

  /** Asks our own listener over TLS, trusting what the configurations will trust. */
  async listens(signal: AbortSignal): Promise<boolean> {
    using http = Deno.createHttpClient({ caCerts: [this.#authority.certificate] });
    const address = `https://localhost:${this.#options.config.webhookPort}/`;
    const response = await fetch(address, { client: http, signal });
    await response.body?.cancel();
    return response.status === 404;
  }

  async #prove(signal: AbortSignal): Promise<boolean> {
    const { client, probeType: type, config } = this.#options;
    const namespaces = config.namespaces.length === 0 ? ["default"] : config.namespaces;
    return await proveWebhooks({ client, probe: this.#probe, type, namespaces, random: crypto.randomUUID() }, signal);
  }
}

/**
 * Where the API server reaches us; `undefined` if it cannot or must not. An API server elsewhere cannot reach a laptop's
 * loopback, and an unreachable webhook that fails closed would lock the kind: so only a URL that somebody gave is used there.
 */
function webhookAddress(config: Config, embeddedCluster: boolean): string | undefined {
  if (!config.webhooks) return undefined;
  if (config.webhookUrl !== undefined) return config.webhookUrl;
  return embeddedCluster ? `https://127.0.0.1:${config.webhookPort}` : undefined;
}

function admissionOffReason(config: Config): string {
  return config.webhooks
    ? "this cluster cannot reach a loopback address; give --webhook-url https://HOST:PORT under which it reaches this process"
    : "--webhooks=off";
}

function webhookKindOf(kind: KindHandler): WebhookKind {
  const { mutateConditions, validateConditions, judgesDelete } = kind.admission;
  return {
    type: kind.resource,
    mutate: { matchConditions: mutateConditions },
    validate: { matchConditions: validateConditions },
    ...(judgesDelete ? { validateDelete: { matchConditions: [] } } : {}),
  };
}

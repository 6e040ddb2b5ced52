import type { Hono } from "hono";
import { type KubeClient, KubeError } from "../../kube/client/client.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import type { OwnerReference, ResourceType } from "../../kube/object.ts";
import type { ServedCertificate, ServingCertificates } from "../../kube/webhook/serving_certificates.ts";
import type { Timing } from "../../kube/timing.ts";
import {
  buildWebhookConfigurations,
  type FailurePolicy,
  type WebhookConfigurations,
  type WebhookKind,
  type WebhookTarget,
} from "../../kube/webhook/webhook_configuration.ts";
import { deleteWebhookConfigurations } from "../../kube/webhook/webhook_configuration_writer.ts";
import { WebhookGuard } from "../../kube/webhook/webhook_guard.ts";
import { registerWebhooks } from "../../kube/webhook/webhook_registration.ts";
import { readBearerTokens } from "./bearer_tokens.ts";
import type { Config } from "../config.ts";
import { warnOfExpiry } from "./expiry_warning.ts";
import { lookAtListener } from "./listener_look.ts";
import { ProbeResponder } from "./probe.ts";
import { proveWebhooks } from "./prove.ts";
import type { KindHandler } from "../registry.ts";
import { createAdmissionApp } from "./server.ts";
import { openCertificates } from "./open_certificates.ts";
import type { Telemetry } from "../operator/telemetry.ts";
import { admissionOffReason, endsWithProcess, webhookTarget } from "./webhook_target.ts";

export interface AdmissionOptions {
  readonly config: Config;
  /** Whether the API server runs on this machine and ends with us: only then may it call a loopback address. */
  readonly embeddedCluster: boolean;
  readonly client: KubeClient;
  /** Where replicas elect a leader; absent: this process is the only one. */
  readonly replicasNamespace: string | undefined;
  readonly kinds: readonly KindHandler[];
  /** A kind of ours whose dry-run create proves that the webhooks lead here. */
  readonly probeType: ResourceType;
  readonly timing: Timing;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
}

const UNREGISTER_TIMEOUT_MS = 5_000;
/** There may be several API servers, and each hears of a new CA bundle by a watch of its own. */
const ANNOUNCEMENT_MS = 60_000;
const CLUSTER_ROLE: ResourceType = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  plural: "clusterroles",
  kind: "ClusterRole",
  namespaced: false,
};

/** The admission server's identity, its app, and its registration with the API server. */
export class Admission {
  readonly app: Hono;
  readonly certificates: ServingCertificates;
  readonly #options: AdmissionOptions;
  readonly #target: WebhookTarget | undefined;
  readonly #guard: WebhookGuard;
  readonly #registered = Promise.withResolvers<void>();
  #probe: ProbeResponder;
  /** Absent while this process did not lead: what is registered is then another replica's. */
  #leading: Promise<unknown> | undefined;

  private constructor(options: AdmissionOptions, parts: AdmissionParts) {
    const { client, config, timing, logger } = options;
    this.#options = options;
    this.#target = parts.target;
    this.certificates = parts.certificates;
    this.#probe = probeResponder(parts.certificates.served);
    const probe = { answer: (request: Parameters<ProbeResponder["answer"]>[0]) => this.#probe.answer(request) };
    this.app = createAdmissionApp({ ...options, probe, tokens: parts.tokens });
    const build = (policy: FailurePolicy, signal: AbortSignal) => this.#configurations(policy, signal);
    this.#guard = new WebhookGuard({ client, instance: config.instance, build, timing, logger });
  }

  /**
   * Finds or makes a serving certificate for every name under which the API server may call.
   *
   * @throws {StartError | KubeError} if there can be none.
   */
  static async create(options: AdmissionOptions, signal: AbortSignal): Promise<Admission> {
    const { config } = options;
    const target = webhookTarget(config, options.embeddedCluster);
    const [certificates, tokens] = await Promise.all([
      openCertificates({ ...options, target }, signal),
      readBearerTokens(config.webhookTokenFile, (path) => Deno.readTextFile(path)),
    ]);
    return new Admission(options, { certificates, tokens, target });
  }

  /**
   * Serves with what others renewed. For every replica.
   *
   * @param onCertificate Takes each new certificate.
   */
  async follow(onCertificate: (served: ServedCertificate) => void, signal: AbortSignal): Promise<void> {
    const { certificates } = this;
    const onChange = (served: ServedCertificate) => {
      this.#probe = probeResponder(served);
      onCertificate(served);
      this.#guard.rebuild();
    };
    await Promise.all([
      certificates.follow(onChange, signal),
      ...(this.#target === undefined ? [] : [warnOfExpiry({ ...this.#options, certificates }, signal)]),
    ]);
  }

  /** Registers the webhooks, guards their configurations and renews the certificates. For one replica at a time. */
  async lead(signal: AbortSignal): Promise<void> {
    if (this.#target === undefined) {
      const reason = admissionOffReason(this.#options.config);
      this.#options.logger.warn("admission is off: bad changes are refused by the loop only", { reason });
      return this.#registered.resolve();
    }
    const isAnnounced = (caBundle: string) =>
      caBundle === this.certificates.served.caBundle && this.#guard.settledMs >= ANNOUNCEMENT_MS;
    const leading = Promise.all([
      this.#register(signal),
      this.#guard.run(signal),
      this.certificates.lead(isAnnounced, signal),
    ]);
    this.#leading = leading.catch(() => {});
    await leading;
  }

  /** Resolves when this replica has registered the webhooks, or has said that admission is off. Rejects with the signal's reason. */
  async whenRegistered(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      await Promise.race([this.#registered.promise, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /**
   * Removes what leads to an address that ends with this process: it would lock the kinds. For the one that leads; abort the signal of
   * `lead()` before. Never rejects.
   */
  async unregister(): Promise<void> {
    if (this.#target === undefined || !endsWithProcess(this.#target) || this.#leading === undefined) return;
    await this.#leading;
    const { client, config, logger } = this.#options;
    try {
      await deleteWebhookConfigurations(client, config.instance, AbortSignal.timeout(UNREGISTER_TIMEOUT_MS));
    } catch (error) {
      logger.warn("the webhook configurations could not be removed", { instance: config.instance, error });
    }
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { config, timing, logger } = this.#options;
    const isRegistered = await registerWebhooks({
      apply: (policy, limit) => this.#guard.apply(policy, limit),
      listens: (attempt) => this.listens(attempt),
      prove: (attempt) => this.#prove(attempt),
      finalFailurePolicy: config.dev ? "Ignore" : "Fail",
      timing,
      logger,
    }, signal);
    if (isRegistered) this.#registered.resolve();
  }

  async #configurations(failurePolicy: FailurePolicy, signal: AbortSignal): Promise<WebhookConfigurations> {
    const { config, kinds, client } = this.#options;
    const { caBundle } = this.certificates.served;
    const owner = await findOwner(client, config.instance, signal);
    return buildWebhookConfigurations({
      instance: config.instance,
      kinds: kinds.map(webhookKindOf),
      target: this.#target ?? { kind: "url", url: "" },
      failurePolicy,
      namespaces: config.namespaces,
      ...(caBundle === undefined ? {} : { caBundle }),
      ...(owner === undefined ? {} : { owner }),
    });
  }

  /** Why the API server may not call us as it should, if this replica guards that; another one tells nothing of it. */
  get registrationFault(): string | undefined {
    const { config } = this.#options;
    if (this.#target === undefined) return config.webhooks ? admissionOffReason(config) : undefined;
    return this.#leading === undefined ? undefined : this.#guard.fault;
  }

  /** Asks our own listener over TLS, trusting what the configurations will trust. @throws why it does not answer. */
  async listens(signal: AbortSignal): Promise<boolean> {
    const { config, timing } = this.#options;
    const expected = { port: config.webhookPort, served: this.certificates.served, now: new Date(timing.now()) };
    return await lookAtListener(expected, signal);
  }

  async #prove(signal: AbortSignal): Promise<boolean> {
    const { client, probeType: type, config } = this.#options;
    const namespaces = config.namespaces.length === 0 ? ["default"] : config.namespaces;
    return await proveWebhooks({ client, probe: this.#probe, type, namespaces, random: crypto.randomUUID() }, signal);
  }
}

interface AdmissionParts {
  readonly target: WebhookTarget | undefined;
  readonly certificates: ServingCertificates;
  readonly tokens: readonly string[];
}

function probeResponder({ sharedSecret }: ServedCertificate): ProbeResponder {
  return new ProbeResponder(new TextEncoder().encode(sharedSecret));
}

/** Our ClusterRole, if an installation brought one: when that is removed, the garbage collector takes the configurations too. */
async function findOwner(
  client: Pick<KubeClient, "get">,
  name: string,
  signal: AbortSignal,
): Promise<OwnerReference | undefined> {
  try {
    const { apiVersion, kind, metadata } = await client.get(CLUSTER_ROLE, { name }, { signal });
    return metadata.deletionTimestamp === undefined ? { apiVersion, kind, name, uid: metadata.uid } : undefined;
  } catch (error) {
    // Whoever may not look does without.
    if (error instanceof KubeError && (error.status === 404 || error.status === 403)) return undefined;
    throw error;
  }
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

import { CertificateRotation } from "../../kube/webhook/certificate_rotation.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import { type IdentityStore, MemoryIdentityStore, SecretIdentityStore } from "../../kube/webhook/identity_store.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import type { ServingCertificates } from "../../kube/webhook/serving_certificates.ts";
import type { Timing } from "../../kube/timing.ts";
import type { WebhookTarget } from "../../kube/webhook/webhook_configuration.ts";
import { CertificateDirectory } from "./certificate_directory.ts";
import type { Config } from "../config.ts";
import type { Telemetry } from "../operator/telemetry.ts";
import { serverNamesOf } from "./webhook_target.ts";

export interface CertificatesContext {
  readonly config: Pick<Config, "instance" | "certDir">;
  readonly target: WebhookTarget | undefined;
  /** Where replicas elect a leader; absent: there are none. */
  readonly replicasNamespace: string | undefined;
  readonly client: Pick<KubeClient, "get" | "apply">;
  readonly timing: Timing;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
}

/**
 * Chooses where the serving certificate comes from: a folder, or an authority of our own. That is shared by all replicas in a
 * Secret beside their Service or, behind a URL, beside their Lease; where there are no replicas it ends with the process.
 *
 * @throws {StartError | KubeError} if it cannot be had.
 */
export async function openCertificates(
  context: CertificatesContext,
  signal: AbortSignal,
): Promise<ServingCertificates> {
  const { config, target, timing, logger, telemetry: { metrics } } = context;
  if (config.certDir !== undefined) {
    const readTextFile = (path: string) => Deno.readTextFile(path);
    return await CertificateDirectory.open({ path: config.certDir, readTextFile, timing, logger, metrics });
  }
  const subject = { commonName: config.instance, names: serverNamesOf(target) };
  return await CertificateRotation.start({ store: chooseStore(context), subject, timing, logger }, signal);
}

function chooseStore({ config, target, replicasNamespace, client }: CertificatesContext): IdentityStore {
  const namespace = target?.kind === "service" ? target.namespace : replicasNamespace;
  // Nobody calls us, or nobody but us is called.
  if (target === undefined || namespace === undefined) return new MemoryIdentityStore();
  return new SecretIdentityStore({
    client,
    namespace,
    name: `${config.instance}-ca`,
    fieldManager: `${config.instance}-${crypto.randomUUID()}`,
  });
}

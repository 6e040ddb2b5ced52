import type { ServerNames } from "../../kube/webhook/certificate_fault.ts";
import type { WebhookTarget } from "../../kube/webhook/webhook_configuration.ts";
import type { WebhookFlags } from "../webhook_flags.ts";

/**
 * Where the API server reaches us; `undefined` if it cannot or must not. An API server elsewhere cannot reach a laptop's
 * loopback, and an unreachable webhook that fails closed would lock the kind: so only an address that somebody gave is used there.
 */
export function webhookTarget(flags: WebhookFlags, embeddedCluster: boolean): WebhookTarget | undefined {
  const { webhooks, webhookUrl: url, webhookService, webhookPort } = flags;
  if (!webhooks) return undefined;
  if (webhookService !== undefined) return { kind: "service", ...webhookService };
  if (url !== undefined) return { kind: "url", url };
  return embeddedCluster ? { kind: "url", url: `https://127.0.0.1:${webhookPort}` } : undefined;
}

/** Why nothing is registered, with the way out. */
export function admissionOffReason({ webhooks }: WebhookFlags): string {
  return webhooks
    ? "this cluster cannot reach a loopback address; give --webhook-service NAMESPACE/NAME, or --webhook-url https://HOST:PORT " +
      "under which it reaches this process"
    : "--webhooks=off";
}

/** Whether the registration must go when this process ends: others answer behind a Service, nobody behind a URL. */
export function endsWithProcess(target: WebhookTarget): boolean {
  return target.kind === "url";
}

/** Every name that a certificate must have: the API server's, and our own look at ourselves. */
export function serverNamesOf(target: WebhookTarget | undefined): ServerNames {
  const local = { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] };
  switch (target?.kind) {
    case undefined:
      return local;
    case "service": {
      const { namespace, name } = target;
      return { ...local, dnsNames: [`${name}.${namespace}.svc`, `${name}.${namespace}`, ...local.dnsNames] };
    }
    case "url": {
      const host = new URL(target.url).hostname.replace(/^\[|\]$/g, "");
      const isAddress = /^[0-9.]+$|:/.test(host);
      return {
        dnsNames: [...new Set([...local.dnsNames, ...(isAddress ? [] : [host])])],
        ipAddresses: [...new Set([...local.ipAddresses, ...(isAddress ? [host] : [])])],
      };
    }
  }
}

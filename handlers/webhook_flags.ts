import { optional, type Parsed, readEnum, readNumber, text, UsageError } from "./flags.ts";

/** What flags decide about admission. */
export interface WebhookFlags {
  readonly webhooks: boolean;
  readonly webhookPort: number;
  /** Where the API server reaches the admission server of this process, when it is not the embedded one. */
  readonly webhookUrl?: string;
  /** The Service that leads to all replicas. */
  readonly webhookService?: WebhookService;
  /** Whence the serving certificate comes, if somebody else makes it. */
  readonly certDir?: string;
  /** Holds the bearer tokens of which a review must carry one. */
  readonly webhookTokenFile?: string;
  readonly dev: boolean;
}

/** A Service in front of the admission servers. Its namespace is theirs. */
export interface WebhookService {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** Flags that take a value; `dev` takes none. */
export const WEBHOOK_FLAGS = [
  "webhooks",
  "webhook-port",
  "webhook-url",
  "webhook-service",
  "webhook-token-file",
  "cert-dir",
] as const;

/** @throws {UsageError} naming the flag. */
export function readWebhookFlags(parsed: Parsed): WebhookFlags {
  const webhookUrl = readWebhookUrl(parsed);
  const webhookService = readWebhookService(parsed);
  if (webhookUrl !== undefined && webhookService !== undefined) {
    throw new UsageError("--webhook-url and --webhook-service exclude each other");
  }
  return {
    webhooks: readEnum(parsed, "webhooks", ["on", "off"]) !== "off",
    webhookPort: readNumber(parsed, "webhook-port", { fallback: 8443, max: 65_535 }),
    dev: parsed["dev"] === true,
    ...optional("webhookUrl", webhookUrl),
    ...optional("webhookService", webhookService),
    ...optional("certDir", text(parsed, "cert-dir")),
    ...optional("webhookTokenFile", text(parsed, "webhook-token-file")),
  };
}

function readWebhookUrl(parsed: Parsed): string | undefined {
  const value = text(parsed, "webhook-url");
  if (value === undefined) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol !== "https:" || url.search !== "" || url.hash !== "" || url.username !== "") {
    throw new UsageError(`--webhook-url must be an https:// address without query: current value is "${value}"`);
  }
  return value.replace(/\/+$/, "");
}

function readWebhookService(parsed: Parsed): WebhookService | undefined {
  const value = text(parsed, "webhook-service");
  if (value === undefined) return undefined;
  const label = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
  const [, namespace, name, port = "443"] = new RegExp(`^(${label})/(${label})(?::([0-9]{1,5}))?$`).exec(value) ?? [];
  if (namespace !== undefined && name !== undefined && Number(port) >= 1 && Number(port) <= 65_535) {
    return { namespace, name, port: Number(port) };
  }
  throw new UsageError(`--webhook-service must be NAMESPACE/NAME or NAMESPACE/NAME:PORT: current value is "${value}"`);
}

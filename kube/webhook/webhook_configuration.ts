import type { KubeManifest, OwnerReference, ResourceType } from "../object.ts";

/** A CEL expression: only if all of them hold is the webhook called. */
export interface MatchCondition {
  readonly name: string;
  readonly expression: string;
}

/** What the webhooks of one kind judge. Conditions come beside "the object is not being deleted", which always holds. */
export interface WebhookKind {
  readonly type: ResourceType;
  /** CREATE and UPDATE, mutating. */
  readonly mutate?: { readonly matchConditions: readonly MatchCondition[] };
  /** CREATE and UPDATE, validating. */
  readonly validate?: { readonly matchConditions: readonly MatchCondition[] };
  /** DELETE, validating, in an entry of its own that never blocks. */
  readonly validateDelete?: { readonly matchConditions: readonly MatchCondition[] };
}

/** Where the API server finds the admission server; the paths are always `/mutate` and `/validate`. */
export type WebhookTarget =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "service"; readonly namespace: string; readonly name: string; readonly port?: number };

export interface WebhookOptions {
  /** Name of both configurations. */
  readonly instance: string;
  readonly kinds: readonly WebhookKind[];
  readonly target: WebhookTarget;
  /** PEM; several certificates may follow each other. Absent: somebody else (cert-manager) fills it in. */
  readonly caBundle?: string;
  /** Of the validating CREATE and UPDATE entries; everything else is `Ignore`. */
  readonly failurePolicy: FailurePolicy;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  /** What takes both configurations with it when it is deleted. */
  readonly owner?: OwnerReference;
}

export type FailurePolicy = "Ignore" | "Fail";

export interface WebhookConfigurations {
  readonly mutating: WebhookManifest;
  readonly validating: WebhookManifest;
}

/** A configuration as we write it: every field that could narrow what is judged is named, also where it has its default. */
export interface WebhookManifest extends KubeManifest {
  readonly webhooks: readonly WebhookEntry[];
}

/** One entry of a configuration. */
export type WebhookEntry = Readonly<Record<string, unknown>> & { readonly name: string };

export const MUTATING: ResourceType = configurationType("Mutating");
export const VALIDATING: ResourceType = configurationType("Validating");
/** The validating one first: the other refuses nothing. */
export const WEBHOOK_CONFIGURATION_TYPES: readonly ResourceType[] = [VALIDATING, MUTATING];
const TIMEOUT_SECONDS = 5;

/** Holds where an UPDATE changed the spec (an object without spec is legal), and for every CREATE. For match conditions. */
export const SPEC_CHANGED = "request.operation == 'CREATE' || has(object.spec) != has(oldObject.spec) || " +
  "(has(object.spec) && object.spec != oldObject.spec)";

/**
 * Builds both configurations. Pure.
 *
 * - Mutating entries are `Ignore`: what they add is a convenience, and the loop adds it too.
 * - DELETE has its own entry with `Ignore`: under `Fail` one refusal, or an operator that is down, would keep a whole namespace from
 *   ever being deleted.
 */
export function buildWebhookConfigurations(options: WebhookOptions): WebhookConfigurations {
  return {
    mutating: configuration(
      "MutatingWebhookConfiguration",
      options,
      options.kinds.flatMap((kind) => mutate(kind, options)),
    ),
    validating: configuration(
      "ValidatingWebhookConfiguration",
      options,
      options.kinds.flatMap((kind) => [...validate(kind, options), ...validateDelete(kind, options)]),
    ),
  };
}

function mutate(kind: WebhookKind, options: WebhookOptions): WebhookEntry[] {
  if (kind.mutate === undefined) return [];
  return [{
    ...entry(kind, options, { verb: "mutate", operations: ["CREATE", "UPDATE"] }),
    failurePolicy: "Ignore",
    reinvocationPolicy: "IfNeeded",
    matchConditions: [notDeleting("object"), ...kind.mutate.matchConditions],
  }];
}

function validate(kind: WebhookKind, options: WebhookOptions): WebhookEntry[] {
  if (kind.validate === undefined) return [];
  return [{
    ...entry(kind, options, { verb: "validate", operations: ["CREATE", "UPDATE"] }),
    failurePolicy: options.failurePolicy,
    matchConditions: [notDeleting("object"), ...kind.validate.matchConditions],
  }];
}

function validateDelete(kind: WebhookKind, options: WebhookOptions): WebhookEntry[] {
  if (kind.validateDelete === undefined) return [];
  return [{
    ...entry(kind, options, { verb: "validate", operations: ["DELETE"] }),
    failurePolicy: "Ignore",
    matchConditions: [notDeleting("oldObject"), ...kind.validateDelete.matchConditions],
  }];
}

function entry(
  { type }: WebhookKind,
  options: WebhookOptions,
  { verb, operations }: { verb: "mutate" | "validate"; operations: readonly string[] },
): WebhookEntry {
  const prefix = operations.includes("DELETE") ? "delete" : verb;
  return {
    name: `${prefix}.${type.plural}.${type.group}`,
    clientConfig: clientConfig(options, verb),
    rules: [{
      apiGroups: [type.group],
      apiVersions: [type.version],
      resources: [type.plural],
      operations,
      scope: type.namespaced ? "Namespaced" : "Cluster",
    }],
    admissionReviewVersions: ["v1"],
    matchPolicy: "Equivalent",
    sideEffects: "None",
    timeoutSeconds: TIMEOUT_SECONDS,
    namespaceSelector: namespaceSelector(options.namespaces),
    objectSelector: {},
  };
}

function clientConfig({ target, caBundle }: WebhookOptions, verb: "mutate" | "validate"): Record<string, unknown> {
  const trust = caBundle === undefined ? {} : { caBundle: new TextEncoder().encode(caBundle).toBase64() };
  switch (target.kind) {
    case "url":
      return { url: `${target.url.replace(/\/+$/, "")}/${verb}`, ...trust };
    case "service": {
      const { namespace, name, port = 443 } = target;
      return { service: { namespace, name, port, path: `/${verb}` }, ...trust };
    }
  }
}

/** An operator that watches some namespaces must not judge, or block, the others. */
function namespaceSelector(namespaces: readonly string[]): Record<string, unknown> {
  if (namespaces.length === 0) return {};
  const expression = { key: "kubernetes.io/metadata.name", operator: "In", values: [...namespaces] };
  return { matchExpressions: [expression] };
}

function notDeleting(variable: "object" | "oldObject"): MatchCondition {
  return { name: "not-deleting", expression: `!has(${variable}.metadata.deletionTimestamp)` };
}

function configuration(
  kind: string,
  { instance, owner }: WebhookOptions,
  webhooks: readonly WebhookEntry[],
): WebhookManifest {
  const metadata = { name: instance, ...(owner === undefined ? {} : { ownerReferences: [owner] }) };
  return { apiVersion: "admissionregistration.k8s.io/v1", kind, metadata, webhooks };
}

function configurationType(which: "Mutating" | "Validating"): ResourceType {
  return {
    group: "admissionregistration.k8s.io",
    version: "v1",
    plural: `${which.toLowerCase()}webhookconfigurations`,
    kind: `${which}WebhookConfiguration`,
    namespaced: false,
  };
}

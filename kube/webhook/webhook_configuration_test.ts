import { assertEquals } from "@std/assert";
import { buildWebhookConfigurations, type WebhookOptions } from "./webhook_configuration.ts";

const tables = { group: "kopf.demo", version: "v1", plural: "databasetables", kind: "DatabaseTable", namespaced: true };
const specChanged = { name: "spec-changed", expression: "object.spec != oldObject.spec" };
const options: WebhookOptions = {
  instance: "tablewright",
  kinds: [{
    type: tables,
    mutate: { matchConditions: [specChanged] },
    validate: { matchConditions: [specChanged] },
    validateDelete: { matchConditions: [] },
  }],
  target: { kind: "url", url: "https://127.0.0.1:8443/" },
  caBundle: "PEM",
  failurePolicy: "Fail",
  namespaces: [],
};

const common = {
  admissionReviewVersions: ["v1"],
  matchPolicy: "Equivalent",
  sideEffects: "None",
  timeoutSeconds: 5,
  namespaceSelector: {},
  objectSelector: {},
};
const rule = { apiGroups: ["kopf.demo"], apiVersions: ["v1"], resources: ["databasetables"], scope: "Namespaced" };

Deno.test("buildWebhookConfigurations() builds one mutating entry that never blocks", () => {
  assertEquals(buildWebhookConfigurations(options).mutating, {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "tablewright" },
    webhooks: [{
      ...common,
      name: "mutate.databasetables.kopf.demo",
      clientConfig: { url: "https://127.0.0.1:8443/mutate", caBundle: "UEVN" },
      rules: [{ ...rule, operations: ["CREATE", "UPDATE"] }],
      failurePolicy: "Ignore",
      reinvocationPolicy: "IfNeeded",
      matchConditions: [
        { name: "not-deleting", expression: "!has(object.metadata.deletionTimestamp)" },
        specChanged,
      ],
    }],
  });
});

Deno.test("buildWebhookConfigurations() judges changes as the policy says and deletions without ever blocking", () => {
  const webhooks = buildWebhookConfigurations(options).validating.webhooks;
  assertEquals(
    webhooks.map(({ name, failurePolicy, rules, matchConditions }) => ({
      name,
      failurePolicy,
      rules,
      matchConditions,
    })),
    [
      {
        name: "validate.databasetables.kopf.demo",
        failurePolicy: "Fail",
        rules: [{ ...rule, operations: ["CREATE", "UPDATE"] }],
        matchConditions: [
          { name: "not-deleting", expression: "!has(object.metadata.deletionTimestamp)" },
          specChanged,
        ],
      },
      {
        name: "delete.databasetables.kopf.demo",
        failurePolicy: "Ignore",
        rules: [{ ...rule, operations: ["DELETE"] }],
        matchConditions: [{ name: "not-deleting", expression: "!has(oldObject.metadata.deletionTimestamp)" }],
      },
    ],
  );
});

Deno.test("buildWebhookConfigurations() limits an operator of some namespaces to them, and reaches it through a Service", () => {
  const target = { kind: "service", namespace: "ops", name: "tablewright" } as const;
  const { caBundle: _, ...withoutBundle } = options;
  const built = buildWebhookConfigurations({ ...withoutBundle, target, namespaces: ["a", "b"] });
  for (const manifest of [built.mutating, built.validating]) {
    for (const webhook of manifest.webhooks) {
      assertEquals(webhook.namespaceSelector, {
        matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: ["a", "b"] }],
      });
      const path = manifest === built.mutating ? "/mutate" : "/validate";
      assertEquals(webhook.clientConfig, { service: { namespace: "ops", name: "tablewright", port: 443, path } });
    }
  }
});

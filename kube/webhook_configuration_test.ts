import { assertEquals } from "@std/assert";
import { KubeError } from "./client.ts";
import { createFakeTiming } from "./fake_timing.ts";
import { memoryLogger } from "./logger.ts";
import type { KubeManifest } from "./object.ts";
import { buildWebhookConfigurations, type WebhookOptions } from "./webhook_configuration.ts";
import { registerWebhooks, type RegistrationOptions } from "./webhook_registration.ts";

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
  const webhooks = buildWebhookConfigurations(options).validating.webhooks as Record<string, unknown>[];
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
    for (const webhook of manifest.webhooks as Record<string, unknown>[]) {
      assertEquals(webhook.namespaceSelector, {
        matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: ["a", "b"] }],
      });
      const path = manifest === built.mutating ? "/mutate" : "/validate";
      assertEquals(webhook.clientConfig, { service: { namespace: "ops", name: "tablewright", port: 443, path } });
    }
  }
});

function setUpRegistration(overrides: Partial<RegistrationOptions>) {
  const timing = createFakeTiming();
  const log: string[] = [];
  const client = {
    apply: async <T>(type: { readonly kind: string }, manifest: KubeManifest) => {
      const policies = (manifest.webhooks as { failurePolicy: string }[]).map((webhook) => webhook.failurePolicy);
      log.push(`${type.kind} ${policies.join()}`);
      return { object: manifest as T, warnings: [] };
    },
  };
  const check = (name: string, answers: readonly (boolean | Error)[]) => {
    const rest = [...answers];
    return async () => {
      log.push(name);
      const answer = rest.shift() ?? true;
      if (answer instanceof Error) throw answer;
      return answer;
    };
  };
  const stop = new AbortController();
  const registration: RegistrationOptions = {
    client,
    build: (failurePolicy) => buildWebhookConfigurations({ ...options, failurePolicy }),
    listens: check("listens", [new Error("connection refused")]),
    prove: check("prove", [false, new KubeError("failed calling webhook", { status: 500, reason: "InternalError" })]),
    finalFailurePolicy: "Fail",
    timing,
    logger: memoryLogger(),
    ...overrides,
  };
  return { registered: registerWebhooks(registration, stop.signal), log, timing, stop };
}

Deno.test("registerWebhooks() listens first, then ignores failures, and fails closed only after the proof", async () => {
  const { registered, log, timing } = setUpRegistration({});
  await timing.tick(60_000);
  assertEquals(await registered, true);
  assertEquals(log, [
    "listens",
    "listens",
    "MutatingWebhookConfiguration Ignore",
    "ValidatingWebhookConfiguration Ignore,Ignore",
    "prove",
    "prove",
    "prove",
    "MutatingWebhookConfiguration Ignore",
    "ValidatingWebhookConfiguration Fail,Ignore",
  ]);
});

Deno.test("registerWebhooks() never fails closed when nothing is proven, and ends with its signal", async () => {
  const { registered, log, timing, stop } = setUpRegistration({ prove: async () => false });
  await timing.tick(600_000);
  stop.abort();
  assertEquals(await registered, false);
  assertEquals(log.some((line) => line.includes("Fail")), false);
  assertEquals(timing.pending(), 0);
});

Deno.test("registerWebhooks() stays at Ignore when told so", async () => {
  const { registered, log, timing } = setUpRegistration({ finalFailurePolicy: "Ignore" });
  await timing.tick(60_000);
  assertEquals(await registered, true);
  assertEquals(log.filter((line) => line.startsWith("Validating")), ["ValidatingWebhookConfiguration Ignore,Ignore"]);
});

import { assertEquals } from "@std/assert";
import type { ServerNames } from "../../kube/webhook/certificate_fault.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import { SecretIdentityStore } from "../../kube/webhook/identity_store.ts";
import { createServingIdentity, takeIdentityStep } from "../../kube/webhook/serving_identity.ts";

const DAY_MS = 86_400_000;

/** Stores, for replicas, an authority past two thirds of its year, with a certificate past two thirds of its 90 days. */
export async function storeOldIdentity(
  client: KubeClient,
  { namespace, instance, names }: {
    readonly namespace: string;
    readonly instance: string;
    readonly names: ServerNames;
  },
): Promise<void> {
  const subject = { commonName: instance, names };
  const store = new SecretIdentityStore({ client, namespace, name: `${instance}-ca`, fieldManager: "test" });
  const authority = await createServingIdentity(subject, new Date(Date.now() - 250 * DAY_MS));
  const now = new Date(Date.now() - 61 * DAY_MS);
  const identity = await takeIdentityStep(authority, { kind: "renewLeaf" }, { subject, now });
  assertEquals(await store.write({ identity, replaces: undefined }), true);
}

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { KubeError } from "../../kube/client/client.ts";
import { silentLogger } from "../../kube/telemetry/logger.ts";
import type { KubeManifest } from "../../kube/object.ts";
import { fakeKind } from "../fake_kind.ts";
import { PROBE_ANNOTATION, ProbeResponder } from "./probe.ts";
import { proveWebhooks } from "./prove.ts";
import { createAdmissionApp } from "./server.ts";
import { noTelemetry } from "../operator/telemetry.ts";

interface Response {
  readonly allowed: boolean;
  readonly warnings?: readonly string[];
}

const secret = new TextEncoder().encode("-----BEGIN PRIVATE KEY-----");

function operatorWith(probe: ProbeResponder) {
  const kind = fakeKind();
  const app = createAdmissionApp({ kinds: [kind], probe, logger: silentLogger, telemetry: noTelemetry });
  return async (manifest: Pick<KubeManifest, "metadata" | "spec">, dryRun = true): Promise<Response> => {
    const request = { uid: "u", operation: "CREATE", resource: kind.resource, object: manifest, dryRun };
    const body = JSON.stringify({
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      request: { ...request, resource: { ...request.resource, resource: request.resource.plural } },
    });
    const answer = await app.request("/validate", { method: "POST", body });
    return (await answer.json()).response;
  };
}

function probeWith(nonce: string, type: string): Pick<KubeManifest, "metadata" | "spec"> {
  return { metadata: { name: "db", annotations: { [PROBE_ANNOTATION]: nonce } }, spec: { type } };
}

Deno.test("a probe is answered beside the verdict, which it never replaces", async () => {
  const probe = new ProbeResponder(secret);
  const ask = operatorWith(probe);
  const nonce = await probe.createNonce("1");
  const proof = await probe.proofOf(nonce);

  assertMatch(proof, /^tablewright [0-9a-f]{64}$/);
  assertEquals(await ask(probeWith(nonce, "mongo")).then(({ allowed, warnings }) => [allowed, warnings]), [
    true,
    [proof],
  ]);
  assertEquals(await ask(probeWith(nonce, "oracle")).then(({ allowed, warnings }) => [allowed, warnings]), [
    false,
    [proof],
  ]);
});

Deno.test("nothing is signed for a nonce that no holder of the key made, nor outside a dry run", async () => {
  const probe = new ProbeResponder(secret);
  const ask = operatorWith(probe);
  const nonce = await probe.createNonce("1");
  const stranger = await new ProbeResponder(new TextEncoder().encode("another")).createNonce("1");
  const forged = [stranger, "1", `2.${nonce.slice(2)}`, `${nonce}0`, "x".repeat(200), "", `.${nonce.slice(2)}`];
  for (const bad of forged) {
    assertEquals((await ask(probeWith(bad, "mongo"))).warnings, undefined, bad);
    assertEquals((await ask(probeWith(bad, "oracle"))).allowed, false, bad);
  }
  assertEquals((await ask(probeWith(nonce, "mongo"), false)).warnings, undefined);
});

Deno.test("a replica with the same key answers, and the key is not the secret itself", async () => {
  const nonce = await new ProbeResponder(secret).createNonce("1");
  const proof = await new ProbeResponder(secret).proofOf(nonce);
  assertEquals((await operatorWith(new ProbeResponder(secret))(probeWith(nonce, "mongo"))).warnings, [proof]);

  const raw = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  for (const text of [nonce, `proof ${nonce}`]) {
    const signature = new Uint8Array(await crypto.subtle.sign("HMAC", raw, new TextEncoder().encode(text)));
    assertEquals(proof.includes(signature.toHex()), false);
  }
});

Deno.test("proveWebhooks() takes a denial with our answer for a proof, and any other refusal for none", async () => {
  const probe = new ProbeResponder(secret);
  const refusing = (warnings: readonly string[]) => ({
    create: () => Promise.reject(new KubeError("denied", { status: 422, reason: "Invalid", warnings })),
  });
  const proof = await probe.proofOf(await probe.createNonce("r"));
  const type = { ...fakeKind().resource };
  const prove = (warnings: readonly string[]) =>
    proveWebhooks(
      { client: refusing(warnings), probe, type, namespaces: ["n"], random: "r" },
      new AbortController().signal,
    );
  assertEquals(await prove(["other", proof]), true);
  await assertRejects(() => prove(["other"]), KubeError, "denied");
});

Deno.test("proveWebhooks() goes on with the next namespace where one does not exist", async () => {
  const probe = new ProbeResponder(secret);
  const asked: unknown[] = [];
  const create = async <T>(_type: unknown, manifest: KubeManifest) => {
    asked.push(manifest.metadata.namespace);
    if (manifest.metadata.namespace === "missing") throw new KubeError("no", { status: 404, reason: "NotFound" });
    return { object: manifest as T, warnings: [await probe.proofOf(await probe.createNonce("r"))] };
  };
  const type = fakeKind().resource;
  const options = { client: { create }, probe, type, random: "r" };
  const { signal } = new AbortController();
  assertEquals(await proveWebhooks({ ...options, namespaces: ["missing", "there", "unasked"] }, signal), true);
  assertEquals(asked, ["missing", "there"]);
  await assertRejects(() => proveWebhooks({ ...options, namespaces: ["missing"] }, signal), KubeError, "no");
});

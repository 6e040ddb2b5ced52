import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import databases from "../../crds/databases.zalando.org.yaml" with { type: "text" };
import { fakeKind } from "../../handlers/fake_kind.ts";
import { applyCustomResourceDefinition } from "../../kube/objects/crd.ts";
import { silentLogger } from "../../kube/telemetry/logger.ts";
import type { KubeManifest } from "../../kube/object.ts";
import { systemTiming } from "../../kube/timing.ts";
import { findFreePort } from "../../local/ports.ts";
import { fastTiming, startAdmissionServer } from "../harness/admission_server.ts";
import { startTestCluster } from "../harness/kube_cluster.ts";
import { storeOldIdentity } from "../harness/old_identity.ts";
import { startReviewLoad } from "../harness/review_load.ts";
import { eventually } from "../harness/wait.ts";

const INSTANCE = "by-url";
const IN_FLIGHT = 20;
/** Thirty of its seconds are one of ours. */
const FACTOR = 30;

Deno.test(`by a loopback URL, over HTTP/2, everything rotates under ${IN_FLIGHT} reviews in flight and none is lost`, async () => {
  const cluster = await startTestCluster();
  const { client } = cluster;
  const context = { client, timing: systemTiming, logger: silentLogger };
  await applyCustomResourceDefinition(context, parse(databases) as KubeManifest, new AbortController().signal);
  const names = { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] };
  await storeOldIdentity(client, { namespace: "default", instance: INSTANCE, names });
  const port = findFreePort();
  const replica = await startAdmissionServer({
    client,
    flags: [
      ...["-A", "--instance", INSTANCE, "--webhook-port", String(port), "--webhook-url", `https://127.0.0.1:${port}`],
      ...["--leader-election-namespace", "default"],
    ],
    kinds: [fakeKind()],
    timing: fastTiming(FACTOR),
    hostname: "127.0.0.1",
    lingerMs: 500,
  });
  await replica.lead();
  const load = startReviewLoad(client, IN_FLIGHT);
  const renewed = () => replica.logger.entries.filter(({ message }) => message.includes("renewed"));
  await eventually("the certificate is renewed under another authority", () => renewed().length === 3);
  assertEquals(renewed().map(({ properties }) => properties["step"]), [
    "renewLeaf",
    "announceAuthority",
    "useNextAuthority",
  ]);
  // The API server keeps one HTTP/2 connection for long: the replaced servers must send it away.
  await eventually("the replaced servers have ended", () => replica.listener.generations === 1);
  const rotated = load.accepted;
  await eventually("reviews go on", () => load.accepted > rotated + 500);
  await load.stop();
  assertEquals(load.failures, []);
  assert(load.accepted > 500);
  Deno.stdout.writeSync(new TextEncoder().encode(`by URL: 0 of ${load.accepted} reviews lost\n`));
  await replica.stop();
  await cluster.stop();
});

import { assertEquals } from "@std/assert";
import { certificateExpiry } from "../kube/certificate.ts";
import { KubeClient } from "../kube/client.ts";
import { createFakeTiming } from "../kube/fake_timing.ts";
import { silentLogger } from "../kube/logger.ts";
import { Admission } from "./admission.ts";
import { parseCommandLine } from "./config.ts";
import { fakeKind } from "./fake_kind.ts";
import { noTelemetry } from "./telemetry.ts";

Deno.test("Admission serves with a certificate that lives a year, since only a restart renews it", async () => {
  const command = parseCommandLine([], {});
  if (command.kind !== "run") throw new Error(`bad flags: ${JSON.stringify(command)}`);
  const timing = createFakeTiming();
  const client = new KubeClient({ server: "http://127.0.0.1:1" });
  const kind = fakeKind();
  const admission = await Admission.create({
    config: command.config,
    embeddedCluster: true,
    client,
    kinds: [kind],
    probeType: kind.resource,
    timing,
    logger: silentLogger,
    telemetry: noTelemetry,
  });
  client.close();
  const days = (certificateExpiry(admission.servingPair.certificate).getTime() - timing.now()) / (24 * 60 * 60_000);
  assertEquals(days, 365);
});

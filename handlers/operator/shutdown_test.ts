import { assertEquals } from "@std/assert";
import { createFakeTiming } from "../../kube/fake_timing.ts";
import { Shutdown } from "./shutdown.ts";

for (const { inPod, waitMs } of [{ inPod: true, waitMs: 5_000 }, { inPod: false, waitMs: 0 }]) {
  Deno.test(`Shutdown is not ready at once and lets ${waitMs} ms pass ${inPod ? "in" : "outside"} a Pod`, async () => {
    const timing = createFakeTiming();
    const shutdown = new Shutdown({ inPod, timing });
    assertEquals(shutdown.fault, undefined);
    let [closing, left] = [false, false];
    const leaving = shutdown.leave({ closeConnections: () => void (closing = true) }).then(() => left = true);
    assertEquals([shutdown.fault, closing], ["the operator is stopping", true]);
    await timing.tick(Math.max(0, waitMs - 1));
    assertEquals(left, !inPod);
    await timing.tick(1);
    await leaving;
    assertEquals([left, timing.pending()], [true, 0]);
  });
}

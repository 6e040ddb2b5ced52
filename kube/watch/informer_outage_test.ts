import { assert, assertEquals } from "@std/assert";
import { KubeError } from "../client/kube_error.ts";
import { ScriptedSource, unreachable, withInformer } from "./scripted_source.ts";

Deno.test("Informer tells for how long the API server was not heard in an outage, and that it asks all the same", async () => {
  const outage = Array.from({ length: 2_000 }, () => ({ fail: unreachable }));
  await withInformer(new ScriptedSource({ list: [], version: "10" }, ...outage), async ({ informer, timing }) => {
    for (let minute = 1; minute <= 60; minute++) {
      await timing.tick(60_000);
      assertEquals(timing.uptime() - informer.lastActivity, minute * 60_000);
      assert(timing.uptime() - informer.lastAttempt <= 4_000, "a restart would mend nothing");
    }
  });
});

Deno.test("Informer has heard the API server when a watch opens, with a bookmark, and when it says that the kind is absent", async () => {
  const quiet = { watch: [], silent: true } as const;
  const absent = new KubeError("not found", { status: 404, reason: "NotFound" });
  const source = new ScriptedSource({ list: [], version: "10" }, { fail: unreachable }, quiet, { fail: absent }, {
    fail: absent,
  });
  await withInformer(source, async ({ informer, timing }) => {
    assertEquals([source.calls.length, informer.lastActivity], [2, 0]);
    await timing.tick(1_000);
    const opened = informer.lastActivity;
    assertEquals(source.calls.length, 3);
    assert(opened > 0 && opened <= 1_000, `${opened}`);
    await timing.tick(69_000);
    assertEquals(informer.lastActivity, opened, "silence is not heard");
    await timing.tick(2_000);
    assertEquals(informer.state, "absent");
    assert(informer.lastActivity > opened + 70_000, `${informer.lastActivity}`);
  });
});

Deno.test("Informer asks an overloaded server again within health's patience, whatever time that names, and never without a pause", async () => {
  for (const retryAfterMs of [0, 999_999_000]) {
    const overload = new KubeError("busy", { status: 503, reason: "ServiceUnavailable", retryAfterMs });
    const steps = Array.from({ length: 500 }, () => ({ fail: overload }));
    const source = new ScriptedSource({ list: [], version: "10" }, ...steps);
    await withInformer(source, async ({ informer, timing }) => {
      for (let minute = 0; minute < 30; minute++) {
        await timing.tick(60_000);
        assert(timing.uptime() - informer.lastAttempt < 70_000);
      }
      assert(source.calls.length < 130, `${source.calls.length} calls in half an hour`);
    });
  }
});

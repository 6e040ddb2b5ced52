import { assert, assertEquals } from "@std/assert";
import type { WatchEvent } from "../client/client.ts";
import { KubeError } from "../client/kube_error.ts";
import type { KubeObject } from "../object.ts";
import { busy, gone, makeTable, ScriptedSource, unreachable, withInformer } from "./scripted_source.ts";

Deno.test("Informer lists in pages, then watches from the version of the list with bookmarks and a server timeout", async () => {
  const source = new ScriptedSource(
    { list: [makeTable("a")], version: "10", continue: "page2" },
    { list: [makeTable("b")], version: "10" },
  );
  await withInformer(source, async ({ informer, changes }) => {
    await informer.whenSynced(new AbortController().signal);
    assertEquals(changes, ["default/a", "default/b"]);
    assertEquals(informer.keys(), ["default/a", "default/b"]);
    assert(informer.synced);
    assertEquals(
      source.calls.map(({ verb, options }) => [verb, options.limit, options.continue, options.resourceVersion]),
      [
        ["list", 500, undefined, undefined],
        ["list", 500, "page2", undefined],
        ["watch", undefined, undefined, "10"],
      ],
    );
    assertEquals(source.calls[2]?.options.timeoutSeconds, 290);
  });
});

Deno.test("Informer follows added, modified and deleted objects and drops managedFields and kubectl's copy", async () => {
  const fat = makeTable("a", { version: "11" });
  const annotations = { "kubectl.kubernetes.io/last-applied-configuration": "{}", "kopf.demo/approve-plan": "abc" };
  Object.assign(fat.metadata, { managedFields: [{}], annotations });
  const source = new ScriptedSource(
    { list: [makeTable("b")], version: "10" },
    {
      watch: [
        { type: "ADDED", object: fat },
        { type: "MODIFIED", object: makeTable("b", { version: "12" }) },
        { type: "DELETED", object: makeTable("a", { version: "13" }) },
        { type: "ADDED", object: fat },
        { type: "BOOKMARK", object: makeTable("", { version: "20" }) },
      ],
    },
  );
  await withInformer(source, async ({ informer, timing, changes }) => {
    assertEquals(changes, ["default/b", "default/a", "default/b", "default/a", "default/a"]);
    assertEquals(informer.get("default/b")?.metadata.resourceVersion, "12");
    assertEquals("managedFields" in (informer.get("default/a")?.metadata ?? {}), false);
    assertEquals(informer.get("default/a")?.metadata.annotations, { "kopf.demo/approve-plan": "abc" });
    await timing.tick(800);
    assertEquals(source.calls.at(-1)?.options.resourceVersion, "20", "a bookmark moves the version");
  });
});

for (
  const [how, step] of [
    ["an HTTP answer", { fail: gone }],
    ["an ERROR event", { watch: [{ type: "ERROR", object: { code: 410, reason: "Expired", message: "too old" } }] }],
  ] as const
) {
  Deno.test(`Informer lists again at once after 410 as ${how} and tells keys that were deleted or made again meanwhile`, async () => {
    const source = new ScriptedSource(
      { list: [makeTable("kept"), makeTable("deleted"), makeTable("again", { uid: "old" })], version: "10" },
      step,
      { list: [makeTable("kept"), makeTable("again", { uid: "new" })], version: "50" },
    );
    await withInformer(source, async ({ informer, changes }) => {
      assertEquals(changes.slice(3), ["default/again", "default/deleted"]);
      assertEquals(informer.get("default/again")?.metadata.uid, "new");
      assertEquals(informer.get("default/deleted"), undefined);
      assertEquals(source.calls.at(-1)?.options.resourceVersion, "50");
    });
  });
}

Deno.test("Informer tells whether a change can ask for something else, or is but the echo of a status", async () => {
  const base = makeTable("a");
  const before = { ...base, spec: { x: 1 }, metadata: { ...base.metadata, generation: 1, finalizers: ["f"] } };
  const event = (version: string, metadata: object, more: object = {}): WatchEvent<KubeObject> => ({
    type: "MODIFIED",
    object: { ...before, ...more, metadata: { ...before.metadata, resourceVersion: version, ...metadata } },
  });
  const events: readonly (readonly [WatchEvent<KubeObject>, string | undefined])[] = [
    [event("11", {}, { status: { message: "failed" } }), "other"],
    [event("11", {}, { status: { message: "failed" } }), undefined],
    [event("12", { labels: { a: "b" } }), "other"],
    // A CRD without the status subresource counts a generation for every write.
    [event("13", { generation: 2 }, { status: { message: "again" } }), "other"],
    [event("14", { generation: 3 }, { spec: { x: 2 } }), "spec"],
    [event("15", { generation: 3, annotations: { a: "b" } }, { spec: { x: 2 } }), "spec"],
    [event("16", { generation: 3, annotations: { a: "b" }, finalizers: [] }, { spec: { x: 2 } }), "spec"],
    [
      event(
        "17",
        { generation: 4, annotations: { a: "b" }, finalizers: [], deletionTimestamp: "2026-01-02T00:00:00Z" },
        {
          spec: { x: 2 },
        },
      ),
      "spec",
    ],
    [{ type: "DELETED", object: before }, "spec"],
    [{ type: "ADDED", object: before }, "spec"],
    [event("20", { uid: "another" }), "spec"],
  ];
  const source = new ScriptedSource({ list: [before], version: "10" }, { watch: events.map(([each]) => each) });
  const told: string[] = [];
  await withInformer(source, () => {
    assertEquals(told, ["resync", ...events.flatMap(([, change]) => change ?? [])]);
    return Promise.resolve();
  }, { onChange: (_key, change) => told.push(change) });
});

Deno.test("Informer tells objects of the first list as a resync, and what a later list finds changed as changed", async () => {
  const source = new ScriptedSource(
    { list: [makeTable("a"), makeTable("b")], version: "10" },
    { fail: gone },
    { list: [makeTable("a"), makeTable("b", { version: "20", uid: "another" }), makeTable("c")], version: "20" },
  );
  const told: string[] = [];
  await withInformer(source, () => {
    assertEquals(told, ["default/a resync", "default/b resync", "default/b spec", "default/c spec"]);
    return Promise.resolve();
  }, { onChange: (key, change) => told.push(`${key} ${change}`) });
});

Deno.test("Informer begins again with the first page when a later page is too old to be had", async () => {
  const source = new ScriptedSource(
    { list: [makeTable("a")], version: "10", continue: "page2" },
    { fail: gone },
    { list: [makeTable("a"), makeTable("b")], version: "50" },
  );
  await withInformer(source, async ({ informer, timing, changes }) => {
    assertEquals(informer.state, "syncing");
    await timing.tick(2_000);
    assertEquals([informer.state, informer.size], ["synced", 2]);
    assertEquals(source.calls.map(({ verb, options }) => [verb, options.continue]), [
      ["list", undefined],
      ["list", "page2"],
      ["list", undefined],
      ["watch", undefined],
    ]);
    assertEquals(changes, ["default/a", "default/b"]);
  });
});

Deno.test("Informer lets the server end a watch after 280 to 300 s, so that not all watches end at once", async () => {
  for (const [random, seconds] of [[0, 280], [1 - Number.EPSILON, 300]] as const) {
    const source = new ScriptedSource({ list: [], version: "10" });
    await withInformer(source, () => {
      assertEquals(source.calls[1]?.options.timeoutSeconds, seconds);
      return Promise.resolve();
    }, { random: () => random });
  }
});

Deno.test("Informer does not ask without pause a server that answers nothing but 410", async () => {
  const source = new ScriptedSource(...Array.from({ length: 50 }, () => ({ fail: gone })));
  await withInformer(source, async ({ timing }) => {
    await timing.tick(10_000);
    assert(source.calls.length < 8, `${source.calls.length} calls`);
  });
});

Deno.test("Informer waits as long as Retry-After says and does not lose its place", async () => {
  const source = new ScriptedSource({ list: [], version: "10" }, { fail: busy });
  await withInformer(source, async ({ timing }) => {
    await timing.tick(6_999);
    assertEquals(source.calls.length, 2);
    await timing.tick(800);
    assertEquals(source.calls.length, 3);
    assertEquals([source.calls[2]?.verb, source.calls[2]?.options.resourceVersion], ["watch", "10"]);
  });
});

Deno.test("Informer waits as long as Retry-After says before it lists again", async () => {
  const source = new ScriptedSource({ fail: busy }, { list: [], version: "10" });
  await withInformer(source, async ({ informer, timing }) => {
    assertEquals(informer.state, "syncing");
    await timing.tick(6_999);
    assertEquals(source.calls.length, 1);
    await timing.tick(800);
    assert(informer.synced);
  });
});

Deno.test("Informer opens a silent stream again after 70 s from where it was", async () => {
  const bookmark: WatchEvent<KubeObject> = { type: "BOOKMARK", object: makeTable("", { version: "15" }) };
  const source = new ScriptedSource({ list: [], version: "10" }, { watch: [bookmark], silent: true });
  await withInformer(source, async ({ timing, lines }) => {
    await timing.tick(69_999);
    assertEquals(source.calls.length, 2);
    await timing.tick(5_000);
    assertEquals([source.calls.length, source.calls[2]?.options.resourceVersion], [3, "15"]);
    assertEquals(lines().includes("Watch was silent and is opened again"), true);
  });
});

for (const [direction, jumpMs] of [["forward", 86_400_000], ["back", -365 * 86_400_000]] as const) {
  Deno.test(`a wall clock that is set ${direction} makes no stream older or younger`, async () => {
    const source = new ScriptedSource({ list: [], version: "10" }, { watch: [], silent: true });
    await withInformer(source, async ({ informer, timing }) => {
      await timing.tick(69_000);
      timing.jump(jumpMs);
      assertEquals(timing.uptime() - informer.lastAttempt, 69_000);
      assertEquals(source.calls.length, 2);
      await timing.tick(2_000);
      assertEquals(source.calls.length, 3);
    });
  });
}

Deno.test("Informer takes a stream that ends or breaks for a pause, not for a loss", async () => {
  const added: WatchEvent<KubeObject> = { type: "ADDED", object: makeTable("a", { version: "11" }) };
  const source = new ScriptedSource(
    { list: [], version: "10" },
    { watch: [added], breaks: unreachable },
    { watch: [{ type: "MODIFIED", object: makeTable("a", { version: "12" }) }] },
    { watch: [{ type: "MODIFIED", object: makeTable("a", { version: "13" }) }] },
  );
  await withInformer(source, async ({ informer, timing }) => {
    await timing.tick(5_000);
    assertEquals(informer.get("default/a")?.metadata.resourceVersion, "13");
    assertEquals(source.calls.map((call) => call.verb), ["list", "watch", "watch", "watch", "watch"]);
    assertEquals(source.calls.at(-1)?.options.resourceVersion, "13");
  });
});

Deno.test("Informer never gives up: it asks an unreachable server at least every 4 s, without a storm", async () => {
  const steps = Array.from({ length: 200 }, () => ({ fail: unreachable }));
  const source = new ScriptedSource(...steps);
  await withInformer(source, async ({ timing }) => {
    await timing.tick(60_000);
    const before = source.calls.length;
    assert(before < 30, `${before} calls in the first minute`);
    await timing.tick(4_000);
    assert(source.calls.length > before);
  });
});

Deno.test("Informer lists again when a watch fails again and again, as after a restored backup", async () => {
  const broken = { watch: [{ type: "ERROR", object: { code: 500, reason: "InternalError", message: "x" } }] } as const;
  const source = new ScriptedSource({ list: [], version: "99" }, broken, broken, broken, { list: [], version: "7" });
  await withInformer(source, async ({ timing }) => {
    await timing.tick(30_000);
    assertEquals(source.calls.map((call) => call.verb), ["list", "watch", "watch", "watch", "list", "watch"]);
    assertEquals(source.calls.at(-1)?.options.resourceVersion, "7");
  });
});

Deno.test("Informer polls a kind whose CRD is absent, which blocks nothing, and forgets objects when it goes", async () => {
  const absent = new KubeError("the server could not find the requested resource", { status: 404, reason: "NotFound" });
  const source = new ScriptedSource(
    { fail: absent },
    { list: [makeTable("a")], version: "10" },
    { fail: absent },
    { fail: absent },
  );
  await withInformer(source, async ({ informer, timing, changes }) => {
    await informer.whenSynced(new AbortController().signal);
    assertEquals([informer.state, informer.synced], ["absent", false]);
    await timing.tick(30_000);
    assertEquals(changes, ["default/a", "default/a"], "told when it came and when it went");
    assertEquals([informer.state, informer.size], ["absent", 0]);
  });
});

Deno.test("Informer survives a callback that throws, and a server that answers nonsense", async () => {
  const nonsense = { type: "ADDED", object: {} } as unknown as WatchEvent<KubeObject>;
  const source = new ScriptedSource(
    { list: [makeTable("a"), makeTable("b")], version: "10" },
    { watch: [nonsense] },
    { watch: [{ type: "ADDED", object: makeTable("c", { version: "11" }) }] },
  );
  const onChange = () => {
    throw new TypeError("broken callback");
  };
  await withInformer(source, async ({ informer, timing, changes, lines }) => {
    await timing.tick(5_000);
    assertEquals(changes, ["default/a", "default/b", "default/c"]);
    assertEquals(informer.size, 3);
    assert(lines().includes("Cannot enqueue a change, which is a bug"));
    assert(lines().includes("Cannot list or watch, which is a bug"));
  }, { onChange });
});

Deno.test("Informer of several namespaces lists and watches each, and one does not delete what another saw", async () => {
  const source = new ScriptedSource(
    { list: [makeTable("a", { namespace: "one" })], version: "10" },
    { list: [makeTable("a", { namespace: "two" })], version: "11" },
  );
  await withInformer(source, async ({ informer }) => {
    assertEquals(informer.keys().toSorted(), ["one/a", "two/a"]);
    assertEquals(source.calls.map(({ verb, options }) => `${verb} ${options.namespace}`).toSorted(), [
      "list one",
      "list two",
      "watch one",
      "watch two",
    ]);
  }, { namespaces: ["one", "two"] });
});

Deno.test("whenSynced() rejects when its signal is aborted first", async () => {
  await withInformer(new ScriptedSource(), async ({ informer }) => {
    const outcome = await informer.whenSynced(AbortSignal.abort("stopped")).catch((reason) => reason);
    assertEquals(outcome, "stopped");
  });
});

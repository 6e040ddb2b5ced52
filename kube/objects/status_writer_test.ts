import { assertEquals, assertRejects } from "@std/assert";
import { KubeError } from "../client/client.ts";
import { silentLogger } from "../telemetry/logger.ts";
import type { KubeObject, ResourceReference } from "../object.ts";
import { raiseObservedGeneration, StatusWriter } from "./status_writer.ts";

const type = { group: "g", version: "v1", plural: "things", kind: "Thing", namespaced: true };
const signal = new AbortController().signal;

/** An API server with one object of a kind whose status is a subresource, a plain field, or pruned. */
class FakeServer {
  requests: string[] = [];
  object: KubeObject;

  constructor(public status: "subresource" | "field" | "pruned") {
    const metadata = {
      name: "a",
      namespace: "d",
      uid: "u",
      generation: 4,
      resourceVersion: "1",
      creationTimestamp: "",
    };
    this.object = { apiVersion: "g/v1", kind: "Thing", metadata };
  }

  async get<T>(_type: unknown, reference: ResourceReference): Promise<T> {
    this.requests.push(`get ${reference.subresource ?? "object"}`);
    this.#refuse(reference);
    return this.object as T;
  }

  async patch<T>(_type: unknown, reference: ResourceReference, options: { patch: unknown }) {
    this.requests.push(`patch ${reference.subresource ?? "object"}`);
    this.#refuse(reference);
    const { metadata, status } =
      (options.patch as { value: { metadata: { resourceVersion: string }; status: unknown } }).value;
    if (metadata.resourceVersion !== this.object.metadata.resourceVersion) {
      throw new KubeError("modified", { status: 409, reason: "Conflict" });
    }
    const stores = this.status === "field" || (this.status === "subresource" && reference.subresource === "status");
    if (stores) this.#store(status);
    return { object: this.object as T, warnings: [] };
  }

  #store(status: unknown): void {
    const { generation = 0, resourceVersion } = this.object.metadata;
    const metadata = {
      ...this.object.metadata,
      generation: this.status === "field" ? generation + 1 : generation,
      resourceVersion: `${Number(resourceVersion) + 1}`,
    };
    const merged = { ...this.object.status as Record<string, unknown>, ...status as Record<string, unknown> };
    this.object = { ...this.object, metadata, status: merged };
  }

  #refuse(reference: ResourceReference): void {
    if (reference.subresource === "status" && this.status !== "subresource") {
      throw new KubeError("the server could not find the requested resource", { status: 404, reason: "NotFound" });
    }
  }
}

function makeStatus(generation: number | undefined) {
  return {
    observedGeneration: generation,
    conditions: [{ type: "Ready", status: "True", observedGeneration: generation }],
  };
}

Deno.test("StatusWriter writes a status once and then finds nothing to change, with the subresource and without", async () => {
  for (const [mode, generation] of [["subresource", 4], ["field", 5]] as const) {
    const server = new FakeServer(mode);
    const writer = new StatusWriter({ client: server, type, logger: silentLogger });
    const wanted = () => makeStatus(server.object.metadata.generation);

    assertEquals((await writer.write(server.object, wanted(), signal)).outcome, "written");
    assertEquals(server.object.metadata.generation, generation);
    assertEquals(server.object.status, makeStatus(generation));
    const before = server.requests.length;
    assertEquals((await writer.write(server.object, wanted(), signal)).outcome, "unchanged");
    assertEquals(server.requests.length, before, "no request for no change");
  }
});

Deno.test("StatusWriter probes once a kind, and again when the CRD gains or loses the subresource", async () => {
  const server = new FakeServer("subresource");
  const writer = new StatusWriter({ client: server, type, logger: silentLogger });
  await writer.write(server.object, { message: "1" }, signal);
  await writer.write(server.object, { message: "2" }, signal);
  assertEquals(server.requests, ["get status", "patch status", "patch status"]);

  for (const mode of ["field", "subresource"] as const) {
    server.status = mode;
    assertEquals((await writer.write(server.object, { message: mode }, signal)).outcome, "written");
    assertEquals(server.object.status, { message: mode });
  }
});

Deno.test("StatusWriter says when the schema prunes the status", async () => {
  const server = new FakeServer("pruned");
  const writer = new StatusWriter({ client: server, type, logger: silentLogger });
  assertEquals((await writer.write(server.object, { message: "1" }, signal)).outcome, "pruned");
});

Deno.test("StatusWriter lets a conflict through", async () => {
  const server = new FakeServer("subresource");
  const writer = new StatusWriter({ client: server, type, logger: silentLogger });
  const stale = server.object;
  await writer.write(stale, { message: "1" }, signal);
  await assertRejects(() => writer.write(stale, { message: "2" }, signal), KubeError, "modified");
});

Deno.test("raiseObservedGeneration() raises only what speaks of this generation", () => {
  const status = {
    observedGeneration: 4,
    conditions: [{ type: "A", observedGeneration: 4 }, { type: "B", observedGeneration: 2 }],
  };
  assertEquals(raiseObservedGeneration(status, 4), {
    observedGeneration: 5,
    conditions: [{ type: "A", observedGeneration: 5 }, { type: "B", observedGeneration: 2 }],
  });
  assertEquals(raiseObservedGeneration({ message: "x" }, 4), { message: "x" });
});

import { assertEquals, assertRejects } from "@std/assert";
import type { DatabaseTable } from "../../crds/database_table/types.ts";
import { KindEnd } from "./kind_end.ts";

const { signal } = new AbortController();

function leaving(name: string, uid = `uid of ${name}`): DatabaseTable {
  const version = { generation: 1, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
  const metadata = { namespace: "shop", name, uid, ...version, deletionTimestamp: "2026-01-02T00:00:00Z" };
  return { apiVersion: "kopf.demo/v1", kind: "DatabaseTable", metadata };
}

/** An API server that answers each question when it is told to. */
class Server {
  readonly questions: PromiseWithResolvers<boolean>[] = [];
  readonly kindEnd = new KindEnd(() => {
    const question = Promise.withResolvers<boolean>();
    this.questions.push(question);
    return question.promise;
  });

  see(...objects: readonly DatabaseTable[]): void {
    for (const object of objects) this.kindEnd.see(object);
  }
}

Deno.test("isBehind() asks once for all objects that were seen to be going before it asked, however late they come", async () => {
  const server = new Server();
  const objects = Array.from({ length: 1_000 }, (_, index) => leaving(String(index)));
  server.see(...objects);
  const first = objects.slice(0, 10).map((each) => server.kindEnd.isBehind(each, signal));
  server.questions[0]?.resolve(false);
  assertEquals(new Set(await Promise.all(first)), new Set([false]));
  for (const object of objects.slice(10)) assertEquals(await server.kindEnd.isBehind(object, signal), false);
  assertEquals(server.questions.length, 1);
});

Deno.test("isBehind() takes no answer that was asked for before the object was seen to be going", async () => {
  const server = new Server();
  const [early, late, unseen, again] = [
    leaving("early"),
    leaving("late"),
    leaving("unseen"),
    leaving("early", "other"),
  ];
  server.see(early);
  const first = server.kindEnd.isBehind(early, signal);
  // The definition may have been marked after the question was answered there, and before the answer is here.
  server.see(late);
  const second = server.kindEnd.isBehind(late, signal);
  server.questions[0]?.resolve(false);
  server.questions[1]?.resolve(true);
  assertEquals([await first, await second], [false, true]);
  for (const [index, object] of [unseen, again].entries()) {
    const answer = server.kindEnd.isBehind(object, signal);
    server.questions[2 + index]?.resolve(true);
    assertEquals(await answer, true);
  }
  // Another version of an object that was seen before is no new sight of it.
  server.see(early);
  assertEquals(await server.kindEnd.isBehind(early, signal), true);
  assertEquals(server.questions.length, 4);
});

Deno.test("isBehind() takes no failure for an answer, and ends with its own signal alone", async () => {
  const server = new Server();
  const [one, other] = [leaving("one"), leaving("other")];
  server.see(one, other);
  const stop = new AbortController();
  const stopped = server.kindEnd.isBehind(one, stop.signal);
  const waiting = server.kindEnd.isBehind(other, signal);
  stop.abort(new Error("stop"));
  await assertRejects(() => stopped, Error, "stop");
  server.questions[0]?.reject(new Error("no answer"));
  await assertRejects(() => waiting, Error, "no answer");
  const again = server.kindEnd.isBehind(other, signal);
  server.questions[1]?.resolve(false);
  assertEquals(await again, false);
});

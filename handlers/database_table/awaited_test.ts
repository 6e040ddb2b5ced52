import { assertEquals } from "@std/assert";
import { Awaited } from "./awaited.ts";

Deno.test("what happens is told once to each object that waits for it", () => {
  const awaited = new Awaited();
  assertEquals(awaited.wait("shop/orders", ["table a", "table b"], awaited.begin()), false);
  assertEquals(awaited.wait("shop/items", ["table b"], awaited.begin()), false);
  assertEquals(awaited.happened("table c"), []);
  assertEquals(awaited.happened("table b"), ["shop/orders", "shop/items"]);
  assertEquals([awaited.happened("table a"), awaited.happened("table b")], [[], []]);
});

Deno.test("what happens while an object is looked at is not missed, and is no news to the next look", () => {
  const awaited = new Awaited();
  const news = awaited.begin();
  assertEquals(awaited.happened("table a"), []);
  assertEquals(awaited.wait("shop/orders", ["table a"], news), true);
  awaited.end(news);
  assertEquals(awaited.wait("shop/orders", ["table a"], awaited.begin()), false);
});

Deno.test("an object that is gone, or waits for something else, is not told", () => {
  const awaited = new Awaited();
  awaited.wait("shop/gone", ["table a"], awaited.begin());
  awaited.wait("shop/other", ["table a"], awaited.begin());
  awaited.wait("shop/other", ["table b"], awaited.begin());
  awaited.forget("shop/gone");
  assertEquals([awaited.happened("table a"), awaited.happened("table b")], [[], ["shop/other"]]);
});

import { assertEquals } from "@std/assert";
import { OwnerIndex } from "./owned_objects.ts";

Deno.test("OwnerIndex tells the owner of an object that appears, changes and goes", () => {
  const owners = new OwnerIndex();
  assertEquals(owners.update("shop/db", "shop/db"), ["shop/db"]);
  assertEquals(owners.update("shop/db", "shop/db"), ["shop/db"]);
  assertEquals(owners.update("shop/db", undefined), ["shop/db"]);
  assertEquals(owners.update("shop/db", undefined), []);
});

Deno.test("OwnerIndex tells both owners of an object that changes hands", () => {
  const owners = new OwnerIndex();
  owners.update("shop/db", "shop/first");
  assertEquals(owners.update("shop/db", "shop/second"), ["shop/first", "shop/second"]);
});

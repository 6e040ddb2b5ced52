import { fromFileUrl } from "@std/path";
import { testOnSmallDisk } from "../../harness/mount_namespace.ts";

/** A fresh server takes 50 MB: the rest is filled by the plan. */
const MEGABYTES = 160;

Deno.test("full disk: there is no room for tables, then none for the log, which ends the server", async () => {
  await testOnSmallDisk(fromFileUrl(new URL("../inside/full_disk.ts", import.meta.url)), MEGABYTES);
});

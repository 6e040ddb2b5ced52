import { assertEquals, assertRejects } from "@std/assert";
import { inClusterConfig, InClusterError } from "./in_cluster.ts";

function setUp() {
  const files: Record<string, string> = { "/sa/ca.crt": "CA", "/sa/token": "one\n" };
  let now = 0;
  const readTextFile = async (path: string) => {
    const text = files[path];
    if (text === undefined) throw new Error(`No such file: ${path}`);
    return text;
  };
  const options = { host: "10.0.0.1", port: "443", folder: "/sa", readTextFile, now: () => now };
  return { files, options, pass: (ms: number) => now += ms };
}

Deno.test("inClusterConfig() reads address, authority, token and namespace, with brackets around IPv6", async () => {
  const { files, options } = setUp();
  const config = await inClusterConfig(options);
  assertEquals([config.server, config.certificateAuthority], ["https://10.0.0.1:443", "CA"]);
  assertEquals(await config.token?.({ refresh: false }), "one");
  assertEquals("namespace" in config, false);
  files["/sa/namespace"] = "team\n";
  assertEquals((await inClusterConfig(options)).namespace, "team");
  assertEquals((await inClusterConfig({ ...options, host: "fd00::1" })).server, "https://[fd00::1]:443");
});

Deno.test("inClusterConfig() reads the token again after 60 s, and at once when it was refused", async () => {
  const { options, files, pass } = setUp();
  const config = await inClusterConfig(options);
  files["/sa/token"] = "two";
  pass(59_999);
  assertEquals(await config.token?.({ refresh: false }), "one");
  pass(1);
  assertEquals(await config.token?.({ refresh: false }), "two");
  files["/sa/token"] = "three";
  assertEquals(await config.token?.({ refresh: true }), "three");
});

Deno.test("inClusterConfig() says in one line what is missing", async () => {
  const { options, files } = setUp();
  await assertRejects(
    () => inClusterConfig({ ...options, host: undefined }),
    InClusterError,
    "Cannot find the API server",
  );
  delete files["/sa/token"];
  await assertRejects(() => inClusterConfig(options), InClusterError, "Cannot read the service account of this Pod");
});

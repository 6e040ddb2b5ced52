import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { KubeconfigError, type KubeconfigOptions, loadKubeconfig } from "../../kube/client/kubeconfig.ts";

function makeConfig(overrides: Record<string, unknown> = {}) {
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "one",
    clusters: [{ name: "c1", cluster: { server: "https://one:6443/", "certificate-authority-data": btoa("CA") } }],
    users: [{ name: "u1", user: { "client-certificate-data": btoa("CERT"), "client-key-data": btoa("KEY") } }],
    contexts: [{ name: "one", context: { cluster: "c1", user: "u1" } }],
    ...overrides,
  };
}

async function withFolder(
  test: (write: (name: string, content: unknown) => Promise<string>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const write = async (name: string, content: unknown) => {
    const path = join(folder, name);
    await Deno.writeTextFile(path, typeof content === "string" ? content : JSON.stringify(content), { mode: 0o755 });
    return path;
  };
  await test(write).finally(() => Deno.remove(folder, { recursive: true }));
}

Deno.test("loadKubeconfig() reads certificates as data and as files beside it", async () => {
  await withFolder(async (write) => {
    const expected = {
      server: "https://one:6443",
      certificateAuthority: "CA",
      clientCertificate: "CERT",
      clientKey: "KEY",
    };
    assertEquals(await loadKubeconfig({ path: await write("data", makeConfig()) }), expected);

    await write("ca.crt", "CA");
    await write("u.crt", "CERT");
    await write("u.key", "KEY");
    const files = makeConfig({
      clusters: [{ name: "c1", cluster: { server: "https://one:6443", "certificate-authority": "ca.crt" } }],
      users: [{ name: "u1", user: { "client-certificate": "u.crt", "client-key": "u.key" } }],
    });
    assertEquals(await loadKubeconfig({ path: await write("files", files) }), expected);
  });
});

Deno.test("loadKubeconfig() asks an exec plugin for a token, remembers it, and asks again after a refusal", async () => {
  await withFolder(async (write) => {
    const credential =
      '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t%s"}}';
    const count = await write("count", "");
    const plugin = await write("plugin", `#!/bin/sh\necho >> ${count}\nprintf '${credential}' $(wc -l < ${count})\n`);
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: plugin, interactiveMode: "Never" };
    const config = makeConfig({ users: [{ name: "u1", user: { exec } }] });
    const { token } = await loadKubeconfig({ path: await write("exec", config) });
    assertEquals(await token?.({ refresh: false }), "t1");
    assertEquals(await token?.({ refresh: false }), "t1");
    assertEquals(await token?.({ refresh: true }), "t2");
  });
});

Deno.test("loadKubeconfig() merges a list of files, of which some may be missing and the first wins", async () => {
  await withFolder(async (write) => {
    const first = await write("first", makeConfig({ "current-context": "two", users: [] }));
    const second = await write(
      "second",
      makeConfig({
        users: [{ name: "u1", user: { token: "T" } }],
        clusters: [{ name: "c1", cluster: { server: "https://wrong" } }],
        contexts: [{ name: "two", context: { cluster: "c1", user: "u1" } }],
      }),
    );
    const config = await loadKubeconfig({ path: `${first}:/no/such/file:${second}` });
    assertEquals([config.server, await config.token?.({ refresh: false })], ["https://one:6443", "T"]);
  });
});

Deno.test("loadKubeconfig() says in one line what is wrong", async () => {
  await withFolder(async (write) => {
    const cases: readonly (readonly [KubeconfigOptions, string])[] = [
      [{ path: "/no/such/file" }, "Cannot read the kubeconfig /no/such/file: no such file"],
      [{ path: "/no/a:/no/b" }, "no such file"],
      [{ path: "" }, "no such file"],
      [{ path: await write("yaml", "clusters: [") }, "Cannot use the kubeconfig"],
      [{ path: await write("empty", "") }, "Cannot use the kubeconfig"],
      [{ path: await write("text", "hello") }, "it has no current context"],
      [{ path: await write("list", "[1]") }, "it has no current context"],
      [
        { path: await write("none", makeConfig({ "current-context": "" })) },
        "it has no current context, and none was given",
      ],
      [
        { path: await write("ok", makeConfig()), context: "other" },
        'it has no context "other": its contexts are "one"',
      ],
      [{ path: await write("cluster", makeConfig({ clusters: [] })) }, 'names the cluster "c1", which is missing'],
      [{ path: await write("user", makeConfig({ users: [] })) }, 'names the user "u1", which is missing'],
      [{ path: await write("server", makeConfig({ clusters: [{ name: "c1", cluster: {} }] })) }, "server is missing"],
      [
        {
          path: await write(
            "ca",
            makeConfig({ clusters: [{ name: "c1", cluster: { server: "https://x", "certificate-authority": "no" } }] }),
          ),
        },
        "Cannot ",
      ],
      [{
        path: await write(
          "exec",
          makeConfig({ users: [{ name: "u1", user: { exec: { command: "/no/such/plugin" } } }] }),
        ),
      }, "Cannot log in"],
    ];
    for (const [options, message] of cases) {
      const error: Error = await assertRejects(() => loadKubeconfig(options), KubeconfigError, message);
      assert(!error.message.includes("\n"), error.message);
    }
  });
});

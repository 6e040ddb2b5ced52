import { assertEquals } from "@std/assert";
import { billOfMaterials } from "./bill_of_materials.ts";
import { reachedPackages } from "./shipped_packages.ts";

const GRAPH = {
  modules: [{}, { npmPackage: "@a/b@1.0.0" }],
  npmPackages: {
    "unused@3.0.0": { name: "unused", version: "3.0.0", dependencies: [], localPath: "/cache/unused" },
    "c@2.0.0": { name: "c", version: "2.0.0", dependencies: ["@a/b@1.0.0"], localPath: "/cache/c" },
    "@a/b@1.0.0": { name: "@a/b", version: "1.0.0", dependencies: ["c@2.0.0"], localPath: "/cache/b" },
  },
};

Deno.test("reachedPackages() follows dependencies, rings included, and leaves out what no module reaches", () => {
  assertEquals(reachedPackages(GRAPH).map(({ id }) => id), ["@a/b@1.0.0", "c@2.0.0"]);
});

Deno.test("billOfMaterials() names each package with its hash and license, and what depends on what", () => {
  const facts = {
    integrity: { "c@2.0.0": "sha512-AQI=" },
    licenses: { "c@2.0.0": "MIT", "@a/b@1.0.0": "(MIT OR BSD-3-Clause)" },
  };
  const product = { name: "tablewright", version: "1.2.3", license: "Apache-2.0" };
  assertEquals(billOfMaterials(product, reachedPackages(GRAPH), facts), {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": "pkg:generic/tablewright@1.2.3",
        name: "tablewright",
        version: "1.2.3",
        licenses: [{ license: { id: "Apache-2.0" } }],
      },
    },
    components: [
      {
        type: "library",
        "bom-ref": "@a/b@1.0.0",
        name: "@a/b",
        version: "1.0.0",
        purl: "pkg:npm/%40a/b@1.0.0",
        licenses: [{ expression: "(MIT OR BSD-3-Clause)" }],
      },
      {
        type: "library",
        "bom-ref": "c@2.0.0",
        name: "c",
        version: "2.0.0",
        purl: "pkg:npm/c@2.0.0",
        hashes: [{ alg: "SHA-512", content: "0102" }],
        licenses: [{ license: { id: "MIT" } }],
      },
    ],
    dependencies: [
      { ref: "pkg:generic/tablewright@1.2.3", dependsOn: ["@a/b@1.0.0", "c@2.0.0"] },
      { ref: "@a/b@1.0.0", dependsOn: ["c@2.0.0"] },
      { ref: "c@2.0.0", dependsOn: ["@a/b@1.0.0"] },
    ],
  });
});

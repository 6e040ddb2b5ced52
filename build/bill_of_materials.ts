import type { ShippedPackage } from "./shipped_packages.ts";

/** What is described. */
export interface Product {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

/** What the lock file and the packages themselves say. */
export interface PackageFacts {
  /** `sha512-<base64>`, by the id of the package. */
  readonly integrity: Readonly<Record<string, string | undefined>>;
  /** As in `package.json`, by the id of the package. */
  readonly licenses: Readonly<Record<string, string | undefined>>;
}

/**
 * A CycloneDX 1.6 bill of materials: the same packages give the same bytes, so it says no time. There is no kept generator that reads
 * `deno.lock`. Pure.
 */
export function billOfMaterials(product: Product, packages: readonly ShippedPackage[], facts: PackageFacts): unknown {
  const root = `pkg:generic/${product.name}@${product.version}`;
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: { type: "application", "bom-ref": root, ...named(product), licenses: licensesOf(product.license) },
    },
    components: packages.map((each) => component(each, facts)),
    dependencies: [
      { ref: root, dependsOn: packages.map(({ id }) => id) },
      ...packages.map(({ id, dependencies }) => ({ ref: id, dependsOn: dependencies })),
    ],
  };
}

function component(shipped: ShippedPackage, { integrity, licenses }: PackageFacts): unknown {
  const { id, name, version } = shipped;
  const [algorithm, digest] = (integrity[id] ?? "").split("-");
  const isKnown = algorithm === "sha512" && digest !== undefined;
  return {
    type: "library",
    "bom-ref": id,
    ...named(shipped),
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    ...(isKnown ? { hashes: [{ alg: "SHA-512", content: Uint8Array.fromBase64(digest).toHex() }] } : {}),
    ...(licenses[id] === undefined ? {} : { licenses: licensesOf(licenses[id]) }),
  };
}

function named({ name, version }: { readonly name: string; readonly version: string }): Record<string, string> {
  return { name, version };
}

/** An expression such as `(MIT OR Apache-2.0)` is told apart from one identifier. */
function licensesOf(license: string): unknown {
  return /[ ()]/.test(license) ? [{ expression: license }] : [{ license: { id: license } }];
}

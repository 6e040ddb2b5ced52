import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { parse, parseAll } from "@std/yaml";
import type { PolicyRule } from "../harness/rbac_usage.ts";

const CLONE = fromFileUrl(new URL("../..", import.meta.url));

interface Definition {
  readonly spec: { readonly group: string; readonly names: { readonly plural: string } };
}

interface Role {
  readonly metadata: { readonly name: string };
  readonly rules?: readonly PolicyRule[];
}

const files = [...Deno.readDirSync(`${CLONE}crds`)].map(({ name }) => name)
  .filter((name) => name.endsWith(".yaml") && name !== "kustomization.yaml").toSorted();
const kinds = files.map((name) => {
  const { spec } = parse(Deno.readTextFileSync(`${CLONE}crds/${name}`)) as Definition;
  return { group: spec.group, plural: spec.names.plural };
});

/** Verbs that the roles of a file grant on a resource. */
function verbs(
  file: string,
  role: string,
  { group, plural }: { readonly group: string; readonly plural: string },
): string {
  const roles = parseAll(Deno.readTextFileSync(`${CLONE}manifests/${file}`)) as readonly Role[];
  return roles.filter(({ metadata }) => metadata.name === role).flatMap(({ rules = [] }) => rules)
    .filter(({ apiGroups, resources }) => apiGroups.includes(group) && resources.includes(plural))
    .flatMap((rule) => rule.verbs).join(" ");
}

Deno.test("every definition of crds/ is installed", () => {
  const { resources } = parse(Deno.readTextFileSync(`${CLONE}crds/kustomization.yaml`)) as { resources: string[] };
  assertEquals(resources.toSorted(), files);
});

Deno.test("the operator reads and writes Secrets by name, and lists or watches none", () => {
  for (const file of ["default/cluster_role.yaml", "namespaced/role.yaml"]) {
    assertEquals(verbs(file, "tablewright", { group: "", plural: "secrets" }), "get create patch", file);
    assertEquals(
      verbs(file, "tablewright", { group: "*", plural: "*" }) + verbs(file, "tablewright", { group: "", plural: "*" }),
      "",
    );
  }
});

for (const kind of kinds) {
  Deno.test(`operator and users may work with ${kind.plural}, and nobody may adopt by default`, () => {
    const status = { ...kind, plural: `${kind.plural}/status` };
    for (const file of ["default/cluster_role.yaml", "namespaced/role.yaml"]) {
      // Which more a kind needs is its own matter: tests/manifests/default_overlay.ts compares them with the audit log.
      assertStringIncludes(verbs(file, "tablewright", kind), "list watch", file);
      assertEquals(verbs(file, "tablewright", status), "get patch", file);
    }
    assertEquals(verbs("base/user_roles.yaml", "tablewright-view", kind), "get list watch");
    assertEquals(
      verbs("base/user_roles.yaml", "tablewright-edit", kind),
      "create update patch delete deletecollection",
    );
    assertEquals(verbs("cluster-prerequisites/installer_role.yaml", "tablewright-installer", status), "get patch");
  });
}

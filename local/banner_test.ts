import { assertEquals, assertStringIncludes } from "@std/assert";
import { formatBanner } from "./banner.ts";

const OPTIONS = {
  clone: "/home/ann/my clone",
  kubeconfig: "/home/ann/my clone/.local/kubeconfig",
  databaseUrlFile: "/home/ann/my clone/.local/database_url",
  kubectl: "/cache/bin/kubectl",
  hasPsql: true,
  admission: true,
  simulatesPods: true,
};

Deno.test("formatBanner() prints commands that can be pasted, also from a path with a space", () => {
  const text = formatBanner(OPTIONS);
  assertStringIncludes(text, "\n  export KUBECONFIG='/home/ann/my clone/.local/kubeconfig'\n");
  assertStringIncludes(text, "\n  /cache/bin/kubectl apply -f manifests/samples/website-users.yaml\n");
  assertStringIncludes(text, "\n  /cache/bin/kubectl wait --for=condition=Ready databasetable/website-users\n");
  assertStringIncludes(text, "Pods of this cluster are simulated (KWOK)");
  assertStringIncludes(text, "| /cache/bin/kubectl apply --dry-run=server -f -\n");
});

Deno.test("formatBanner() leaves out what does not apply", () => {
  const text = formatBanner({
    clone: "/c",
    kubectl: "kubectl",
    hasPsql: false,
    admission: false,
    simulatesPods: false,
  });
  assertEquals(/KUBECONFIG|DATABASE_URL|psql|dry-run|KWOK/.test(text), false);
});

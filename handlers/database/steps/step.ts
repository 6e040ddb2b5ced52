import type { Database } from "../../../crds/database/types.ts";
import type { KubeManifest, KubeObject } from "../../../kube/object.ts";
import type { Children } from "../observe/children.ts";
import type { DatabaseContext } from "../context.ts";
import type { Server } from "../build/desired.ts";
import { isKept } from "../observe/kept.ts";
import type { PodReplacements } from "./pod_replacements.ts";

/** What each step of a reconcile looks at. */
export interface Step {
  readonly object: Database;
  readonly server: Server;
  readonly children: Children;
  readonly context: DatabaseContext;
  readonly replacements: PodReplacements;
  readonly signal: AbortSignal;
}

/** Makes an object that is not there, corrects one that is not as it should be, and leaves one alone that is. */
export async function keep(
  { context, server, signal }: Step,
  live: KubeObject | undefined,
  manifest: KubeManifest,
): Promise<"made" | "corrected" | "kept"> {
  if (live === undefined) {
    await context.objects.make(manifest, signal);
    return "made";
  }
  if (isKept(live, manifest, server.identity.uid)) return "kept";
  await context.objects.correct(live, manifest, signal);
  return "corrected";
}

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
  /** Asks past every cache, once, whether the object is still there. @throws {KubeError} 404 if it is not. */
  readonly confirm: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** Makes an object that is not there, corrects one that is not as it should be, and leaves one alone that is. */
export async function keep(
  step: Step,
  live: KubeObject | undefined,
  manifest: KubeManifest,
): Promise<"made" | "corrected" | "kept"> {
  const { context, server, signal } = step;
  if (live === undefined) {
    await make(step, manifest);
    return "made";
  }
  if (isKept(live, manifest, server.identity.uid)) return "kept";
  await context.objects.correct(live, manifest, signal);
  return "corrected";
}

/**
 * Makes an object that is not there. It may be missing because its owner went and the garbage collector took it, of which another watch
 * may tell us later.
 *
 * @throws {KubeError} 404 if the owner is gone.
 */
export async function make({ context, confirm, signal }: Step, manifest: KubeManifest): Promise<void> {
  await confirm();
  await context.objects.make(manifest, signal);
}

import { isKubeError, type KubeClient } from "../client/client.ts";
import type { Logger } from "../telemetry/logger.ts";
import { mergePatch } from "../client/merge_patch.ts";
import type { KubeObject, ResourceType } from "../object.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** `pruned`: the schema of the CRD has no room for it, so nothing was stored. */
export type StatusOutcome = "unchanged" | "written" | "pruned";

export interface StatusResult {
  readonly outcome: StatusOutcome;
  /** Of the object afterwards: an event with this one is the echo of the write. */
  readonly resourceVersion: string;
}

export interface StatusWriterOptions {
  readonly client: Pick<KubeClient, "get" | "patch">;
  readonly type: ResourceType;
  readonly logger: Logger;
}

/** Whether the CRD has the status subresource; it may be gained and lost while we run. */
type Subresource = "present" | "absent";

/**
 * Writes the status of one kind: the whole of it, by JSON merge patch, under the `resourceVersion` that was reconciled.
 *
 * - Nothing is written when nothing would change.
 * - With the status subresource a write does not touch `generation`. Without it each write raises it by one: the status then says
 *   `observedGeneration = generation + 1`, which is true once it is stored, and the next write finds nothing to change.
 * - Which of both holds is asked of the API server once, and again when an answer shows that it changed.
 *
 * Not server-side apply: its conditions could not be removed after a CRD upgrade that brings the subresource.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  #subresource: Subresource | undefined;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /**
   * @param status The whole status as it is for `object.metadata.generation`; members that are absent are removed.
   * @throws {KubeError} 409 if the object changed since it was read, 404 if it is gone.
   */
  async write(object: KubeObject, status: JsonObject, signal: AbortSignal): Promise<StatusResult> {
    const { resourceVersion } = object.metadata;
    if (mergePatch(statusOf(object), status) === undefined) return { outcome: "unchanged", resourceVersion };
    const before = this.#subresource ?? await this.#probe(object, signal);
    const written = await this.#tryWrite(before, { object, status, signal }) ??
      await this.#retry(before, { object, status, signal });
    return written === undefined
      ? { outcome: "pruned", resourceVersion }
      : { outcome: "written", resourceVersion: written };
  }

  /** Nothing was stored: the subresource may have come or gone since it was looked for. */
  async #retry(
    before: Subresource,
    attempt: { object: KubeObject; status: JsonObject; signal: AbortSignal },
  ): Promise<string | undefined> {
    const now = await this.#probe(attempt.object, attempt.signal);
    if (now === before) return undefined;
    this.#options.logger.info("Status subresource of the CRD changed", { plural: this.#options.type.plural, now });
    return await this.#tryWrite(now, attempt);
  }

  /** Answers the new resourceVersion; `undefined` if the API server stored nothing. */
  async #tryWrite(
    subresource: Subresource,
    { object, status, signal }: { object: KubeObject; status: JsonObject; signal: AbortSignal },
  ): Promise<string | undefined> {
    const { client, type } = this.#options;
    const { namespace, name, uid, resourceVersion, generation } = object.metadata;
    const stored = subresource === "present" ? status : raiseObservedGeneration(status, generation ?? 0);
    const value = { metadata: { uid, resourceVersion }, status: mergePatch(statusOf(object), stored) };
    const reference = subresource === "present" ? { namespace, name, subresource: "status" } : { namespace, name };
    try {
      const written = await client.patch(type, reference, { patch: { kind: "merge", value }, signal });
      const stored = written.object.metadata.resourceVersion;
      return stored === resourceVersion ? undefined : stored;
    } catch (error) {
      if (subresource === "present" && isKubeError(error, 404)) return undefined;
      throw error;
    }
  }

  /** A missing object and a missing subresource both answer 404: only the object itself tells them apart. */
  async #probe(object: KubeObject, signal: AbortSignal): Promise<Subresource> {
    const { client, type } = this.#options;
    const { namespace, name } = object.metadata;
    try {
      await client.get(type, { namespace, name, subresource: "status" }, { signal });
      this.#subresource = "present";
    } catch (error) {
      if (!isKubeError(error, 404)) throw error;
      await client.get(type, { namespace, name }, { signal });
      this.#subresource = "absent";
    }
    return this.#subresource;
  }
}

/**
 * The status as it must be stored where the write itself raises the generation: `observedGeneration` of the status and of the
 * conditions that speak of `generation` become `generation + 1`. Pure.
 */
export function raiseObservedGeneration(status: JsonObject, generation: number): JsonObject {
  const raise = (value: JsonObject): JsonObject =>
    value.observedGeneration === generation ? { ...value, observedGeneration: generation + 1 } : value;
  const { conditions } = status;
  return raise(Array.isArray(conditions) ? { ...status, conditions: conditions.map(raise) } : status);
}

function statusOf(object: KubeObject): JsonObject {
  const { status } = object;
  return typeof status === "object" && status !== null && !Array.isArray(status) ? status as JsonObject : {};
}

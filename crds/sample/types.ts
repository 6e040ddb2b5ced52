import type { Condition, ObjectMeta } from "../meta.ts";

export const GROUP = "nuvolaris.org";
export const VERSION = "v1";
export const KIND = "Sample";
export const PLURAL = "samples";

/** More Pods than that are a typing error. */
export const MAX_COUNT = 1000;

export interface SampleSpec {
  /** Replicas. */
  readonly count: number;
}

export interface SampleStatus {
  readonly observedGeneration?: number;
  readonly message?: string;
  readonly conditions?: readonly Condition[];
}

/** An object as the API server stores it: the spec is not yet decoded. */
export interface Sample {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: unknown;
  readonly status?: SampleStatus;
}

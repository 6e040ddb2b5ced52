/** Who owns an object: when the owner goes, the garbage collector takes the object with it. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** The metadata of an object as the API server returns it. */
export interface KubeMetadata {
  readonly name: string;
  /** Absent on cluster-scoped objects. */
  readonly namespace?: string;
  readonly uid: string;
  /** Counts changes of `spec`; without the status subresource it counts every change. Absent on some built-in kinds. */
  readonly generation?: number;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

/**
 * An object of any kind as the API server returns it.
 *
 * `spec` and `status` are `unknown` unless the caller knows better: an object may be older than its schema.
 */
export interface KubeObject<Spec = unknown, Status = unknown> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: KubeMetadata;
  readonly spec?: Spec;
  readonly status?: Status;
}

/** An object as a caller writes it. */
export interface KubeManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name?: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** Which kind: all that is needed to build its paths. */
export interface ResourceType {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Which object or collection of a kind. */
export interface ResourceReference {
  /** Absent: all namespaces (for a collection) or a cluster-scoped kind. */
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** `kopf.demo/v1`, or `v1` for the core group. */
export function apiVersionOf(type: ResourceType): string {
  return type.group === "" ? type.version : `${type.group}/${type.version}`;
}

/**
 * Builds the path of an object or a collection.
 *
 * @throws {TypeError} if an object of a namespaced kind is named without its namespace, which would name another path.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const pods = { group: "", version: "v1", plural: "pods", kind: "Pod", namespaced: true };
 * assertEquals(resourcePath(pods), "/api/v1/pods");
 * assertEquals(resourcePath(pods, { namespace: "a", name: "b" }), "/api/v1/namespaces/a/pods/b");
 * ```
 */
export function resourcePath(type: ResourceType, reference: ResourceReference = {}): string {
  const { namespace, name, subresource } = reference;
  const root = type.group === "" ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  if (type.namespaced && name !== undefined && (namespace ?? "") === "") {
    throw new TypeError(
      `Cannot name a ${type.kind}: its namespace must be given: current value is "${namespace ?? ""}"`,
    );
  }
  const scope = type.namespaced && (namespace ?? "") !== "" ? `/namespaces/${segment(namespace ?? "")}` : "";
  const object = name === undefined ? "" : `/${segment(name)}`;
  const child = subresource === undefined ? "" : `/${subresource}`;
  return `${root}${scope}/${type.plural}${object}${child}`;
}

/** `namespace/name`, or only the name of a cluster-scoped object: what queues and stores use as the key. */
export function keyOf(object: { readonly metadata: Pick<KubeMetadata, "name" | "namespace"> }): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Dots alone survive URL escaping and would climb to another path. */
function segment(name: string): string {
  if (name === "." || name === "..") throw new TypeError(`Cannot name an object: its name must not be "${name}"`);
  return encodeURIComponent(name);
}

import { type FieldError, formatFieldError } from "../../crds/field_error.ts";
import { isObject } from "../../crds/decode_fields.ts";

/** An `admission.k8s.io/v1` request as far as verdicts need it. Objects are as they came, not yet decoded. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly resource: { readonly group: string; readonly version: string; readonly resource: string };
  readonly kind: string;
  readonly namespace: string;
  /** Taken from the object where the request has none (`generateName`, deletecollection); may be empty. */
  readonly name: string;
  readonly object: ReviewedObject | undefined;
  readonly oldObject: ReviewedObject | undefined;
  readonly dryRun: boolean;
}

/** An object under review: its metadata has the types that an API server checks, nobody vouches for its spec. */
export interface ReviewedObject {
  readonly metadata: {
    readonly name?: string;
    readonly generateName?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly generation?: number;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
}

/** A verdict is data; an error, thrown, means that nobody can judge. */
export type Verdict =
  | { readonly kind: "allowed"; readonly warnings: readonly string[] }
  | { readonly kind: "denied"; readonly errors: readonly FieldError[]; readonly warnings: readonly string[] };

export type DecodedReview =
  | { readonly ok: true; readonly request: AdmissionRequest }
  | { readonly ok: false; readonly fault: string };

/** One operation of an RFC 6902 JSON patch. */
export interface PatchOperation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

const OPERATIONS = ["CREATE", "UPDATE", "DELETE", "CONNECT"] as const;

/** Which objects a review of each operation has. */
const NEEDED = { CREATE: ["object"], UPDATE: ["object", "oldObject"], DELETE: ["oldObject"], CONNECT: [] } as const;

/** Texts in an object's metadata. */
const STRINGS = ["name", "generateName", "namespace", "uid", "deletionTimestamp"] as const;

/** The API server cuts off single warnings at 256 and all of them at 4,096 bytes; longer lists are shortened by us. */
const MAX_WARNINGS_BYTES = 4_096;
const MAX_MESSAGE_LENGTH = 32_768;
/** Of all causes: a review of 7 MiB can have so many faults that the answer would be 150 MB. */
const MAX_CAUSES_LENGTH = 65_536;

/** Reads an AdmissionReview; the fault is one sentence for the sender of something else. */
export function decodeAdmissionReview(body: string): DecodedReview {
  let review: unknown;
  try {
    review = JSON.parse(body);
  } catch {
    return { ok: false, fault: "Cannot read the body as JSON" };
  }
  if (!isObject(review) || review["kind"] !== "AdmissionReview" || review["apiVersion"] !== "admission.k8s.io/v1") {
    return { ok: false, fault: "Cannot read the body as an admission.k8s.io/v1 AdmissionReview" };
  }
  const request = review["request"];
  if (!isObject(request)) return { ok: false, fault: "Cannot read the review: request must be an object" };
  return decodeRequest(request);
}

function decodeRequest(request: Readonly<Record<string, unknown>>): DecodedReview {
  const { uid, resource, namespace, name } = request;
  const operation = OPERATIONS.find((each) => each === request["operation"]);
  if (typeof uid !== "string" || uid === "") {
    return { ok: false, fault: "Cannot read the review: request.uid must be a non-empty string" };
  }
  if (operation === undefined) {
    return { ok: false, fault: `Cannot read the review: request.operation must be one of ${OPERATIONS.join(", ")}` };
  }
  if (!isObject(resource) || typeof resource["group"] !== "string" || typeof resource["resource"] !== "string") {
    return { ok: false, fault: "Cannot read the review: request.resource must name a group and a resource" };
  }
  // What an operation does not have is not looked at, whoever sends it.
  const object = operation === "DELETE" ? undefined : decodeObject(request["object"]);
  const oldObject = operation === "CREATE" ? undefined : decodeObject(request["oldObject"]);
  for (const field of NEEDED[operation]) {
    if ((field === "object" ? object : oldObject) !== undefined) continue;
    return { ok: false, fault: `Cannot read the review: request.${field} must be an object with metadata` };
  }
  const metadata = (object ?? oldObject)?.metadata;
  return {
    ok: true,
    request: {
      uid,
      operation,
      resource: { group: resource["group"], version: String(resource["version"]), resource: resource["resource"] },
      kind: isObject(request["kind"]) ? String(request["kind"]["kind"]) : "",
      namespace: typeof namespace === "string" ? namespace : metadata?.namespace ?? "",
      name: typeof name === "string" && name !== "" ? name : metadata?.name ?? "",
      object,
      oldObject,
      dryRun: request["dryRun"] === true,
    },
  };
}

/** `undefined` if it is no object, or its metadata is none that an API server lets pass. */
function decodeObject(value: unknown): ReviewedObject | undefined {
  if (!isObject(value) || !isObject(value["metadata"])) return undefined;
  const metadata = value["metadata"];
  const isMetadata = STRINGS.every((field) => isAbsentOr(metadata[field], isString)) &&
    isAbsentOr(metadata["generation"], (each) => typeof each === "number") &&
    isAbsentOr(metadata["finalizers"], (each) => Array.isArray(each) && each.every(isString)) &&
    isAbsentOr(metadata["annotations"], (each) => isObject(each) && Object.values(each).every(isString));
  return isMetadata ? { ...value, metadata } : undefined;
}

function isAbsentOr(value: unknown, check: (value: unknown) => boolean): boolean {
  return value === undefined || check(value);
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

/** The answer to a validating review; faults become `422 Invalid` with one cause each, which kubectl prints as bullets. */
export function encodeVerdict(request: AdmissionRequest, verdict: Verdict): object {
  const response = verdict.kind === "allowed"
    ? { allowed: true }
    : { allowed: false, status: statusOf(request, verdict.errors) };
  return review(request, { ...response, ...withWarnings(verdict.warnings) });
}

/** The answer to a mutating review. */
export function encodePatch(
  request: AdmissionRequest,
  patch: readonly PatchOperation[],
  warnings: readonly string[] = [],
): object {
  const patched = patch.length === 0 ? {} : { patchType: "JSONPatch", patch: encodeUtf8Base64(JSON.stringify(patch)) };
  return review(request, { allowed: true, ...patched, ...withWarnings(warnings) });
}

function review(request: AdmissionRequest, response: Readonly<Record<string, unknown>>): object {
  return {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: { uid: request.uid, ...response },
  };
}

function statusOf(request: AdmissionRequest, errors: readonly FieldError[]): unknown {
  const { group } = request.resource;
  const { shown, more } = fitting(errors);
  const faults = [...shown.map(formatFieldError), ...more].join("; ");
  return {
    status: "Failure",
    code: 422,
    reason: "Invalid",
    message: clip(`${request.kind}.${group} "${request.name}" is invalid: ${faults}`, MAX_MESSAGE_LENGTH),
    details: {
      group,
      kind: request.kind,
      name: request.name,
      causes: [
        ...shown.map(({ path, type, detail }) => ({ field: path, reason: type, message: detail })),
        ...more.map((message) => ({ field: "spec", reason: "FieldValueTooMany", message })),
      ],
    },
  };
}

/** As many faults as anybody reads, and in words how many more there are. */
function fitting(errors: readonly FieldError[]): { shown: readonly FieldError[]; more: readonly string[] } {
  let length = 0;
  const beyond = errors.findIndex(({ path, detail }) => (length += path.length + detail.length) > MAX_CAUSES_LENGTH);
  if (beyond === -1) return { shown: errors, more: [] };
  // One of them at least, however long it is.
  const [first, ...rest] = errors.slice(0, Math.max(1, beyond));
  const shown = first === undefined ? [] : [clipped(first), ...rest];
  return { shown, more: [`… and ${errors.length - shown.length} more faults`] };
}

function clipped(error: FieldError): FieldError {
  return {
    ...error,
    path: clip(error.path, MAX_MESSAGE_LENGTH),
    detail: clip(error.detail, MAX_MESSAGE_LENGTH),
  };
}

function withWarnings(warnings: readonly string[]): { warnings?: readonly string[] } {
  const kept: string[] = [];
  const encoder = new TextEncoder();
  let bytes = 0;
  for (const warning of warnings) {
    bytes += encoder.encode(warning).length;
    if (bytes > MAX_WARNINGS_BYTES - 64) {
      kept.push(`… and ${warnings.length - kept.length} more lines`);
      break;
    }
    kept.push(warning);
  }
  return kept.length === 0 ? {} : { warnings: kept };
}

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function encodeUtf8Base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

import { decodeJsonLines } from "./json_lines.ts";
import { type ApiStatus, KubeError } from "./kube_error.ts";
import {
  type KubeManifest,
  type KubeObject,
  resourcePath,
  type ResourceReference,
  type ResourceType,
} from "../object.ts";
import type { RequestObserver } from "./request_metrics.ts";
import { type ClusterConfig, type OpenResponse, type QueryValue, Transport } from "./transport.ts";
import { parseWarnings } from "./warning_header.ts";

export { type ClusterConfig, ConnectionStalled } from "./transport.ts";
export { isKubeError, KubeError } from "./kube_error.ts";

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds until the answer must be complete; default 30,000. */
  readonly timeoutMs?: number;
}

export interface RequestOptions extends CallOptions {
  readonly query?: Readonly<Record<string, QueryValue>>;
  readonly body?: unknown;
  readonly contentType?: string;
}

export interface WriteOptions extends CallOptions {
  /** Admission runs, nothing is stored. */
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
}

export interface ApplyOptions extends WriteOptions {
  /** Take over fields that another manager owns; without it that is a 409. */
  readonly force?: boolean;
}

export interface DeleteOptions extends CallOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
}

export interface ListOptions extends CallOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly limit?: number;
  /** The `continue` of the page before. */
  readonly continue?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface WatchOptions extends CallOptions {
  readonly namespace?: string | undefined;
  readonly resourceVersion: string;
  /** After which the server ends the stream. */
  readonly timeoutSeconds?: number;
  /** Called when the server has begun to answer: a quiet stream tells nothing for a minute. */
  readonly onOpen?: () => void;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** One page of a list. */
export interface ListPage<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** Present if there is another page. */
  readonly continue?: string;
}

/** What was stored, and what admission had to say about it. */
export interface Written<T> {
  readonly object: T;
  readonly warnings: readonly string[];
}

/** An event of a watch. A bookmark's object holds nothing but a `resourceVersion`. */
export type WatchEvent<T> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK"; readonly object: T }
  | { readonly type: "ERROR"; readonly object: ApiStatus };

/** A change of an object: RFC 7386 or RFC 6902. */
export type Patch =
  | { readonly kind: "merge"; readonly value: unknown }
  | { readonly kind: "json"; readonly operations: readonly unknown[] };

export interface ClientOptions {
  /** Who owns what we write, unless a call says otherwise; default `tablewright`. */
  readonly fieldManager?: string;
  /** Default `tablewright`. */
  readonly userAgent?: string;
  /** Told of each request. */
  readonly onAnswer?: RequestObserver;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Talks to one API server.
 *
 * Every call throws {@linkcode KubeError} for an answer that is no success (status 0 if there is none) and the signal's reason
 * once that is aborted. It never retries, except once on 401 with a token read again: the controller decides retries.
 */
export class KubeClient {
  readonly #transport: Transport;
  readonly #fieldManager: string;

  /** @throws {TypeError} if the configuration holds no usable address or certificate. */
  constructor(config: ClusterConfig, options: ClientOptions = {}) {
    this.#transport = new Transport(config, options.userAgent ?? "tablewright", options.onAnswer);
    this.#fieldManager = options.fieldManager ?? "tablewright";
  }

  /** `https://host:port`, for messages. */
  get server(): string {
    return this.#transport.origin;
  }

  /** Any request; the object is the decoded answer, or its text if that is not JSON (`/readyz`). */
  async request<T = unknown>(method: string, path: string, options: RequestOptions = {}): Promise<Written<T>> {
    const request = { ...options, method, path, timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS };
    return await this.#transport.call(request, async (response) => {
      const warnings = parseWarnings(response.headers.get("warning"));
      const json = response.headers.get("content-type")?.includes("json") === true;
      return { object: (json ? await response.json() : await response.text()) as T, warnings };
    });
  }

  async get<T = KubeObject>(type: ResourceType, reference: ResourceReference, options: CallOptions = {}): Promise<T> {
    return (await this.request<T>("GET", resourcePath(type, reference), options)).object;
  }

  /** Reads one page; the caller asks for the next with `continue`. */
  async list<T = KubeObject>(type: ResourceType, options: ListOptions = {}): Promise<ListPage<T>> {
    const { namespace, limit, continue: token, labelSelector, fieldSelector, ...call } = options;
    const path = resourcePath(type, { namespace });
    const query = { limit, continue: token, labelSelector, fieldSelector };
    const { object } = await this.request<RawList<T>>("GET", path, { ...call, query });
    const next = object.metadata?.continue ?? "";
    return {
      items: object.items ?? [],
      resourceVersion: object.metadata?.resourceVersion ?? "",
      ...(next === "" ? {} : { continue: next }),
    };
  }

  async create<T = KubeObject>(
    type: ResourceType,
    manifest: KubeManifest,
    options: WriteOptions = {},
  ): Promise<Written<T>> {
    const path = resourcePath(type, { namespace: manifest.metadata.namespace });
    return await this.request<T>("POST", path, { ...this.#write(options), body: manifest });
  }

  async patch<T = KubeObject>(
    type: ResourceType,
    reference: ResourceReference,
    options: WriteOptions & { readonly patch: Patch },
  ): Promise<Written<T>> {
    const { patch, ...rest } = options;
    return await this.request<T>("PATCH", resourcePath(type, reference), {
      ...this.#write(rest),
      ...encodePatch(patch),
    });
  }

  /** Server-side apply: creates the object or sets the fields that the manifest names. */
  async apply<T = KubeObject>(
    type: ResourceType,
    manifest: KubeManifest,
    options: ApplyOptions = {},
  ): Promise<Written<T>> {
    const { force, ...rest } = options;
    const write = this.#write(rest);
    return await this.request<T>("PATCH", resourcePath(type, manifest.metadata), {
      ...write,
      query: { ...write.query, force },
      contentType: "application/apply-patch+yaml",
      body: manifest,
    });
  }

  /** Answers the object as it is while it terminates, or a `Status` once it is gone. */
  async delete(type: ResourceType, reference: ResourceReference, options: DeleteOptions = {}): Promise<unknown> {
    const { preconditions, propagationPolicy, ...call } = options;
    const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions, propagationPolicy };
    return (await this.request("DELETE", resourcePath(type, reference), { ...call, body })).object;
  }

  /**
   * Streams what changes after `resourceVersion`, with bookmarks, until the server ends the stream (a truncated last line
   * counts as that end) or the consumer leaves the loop.
   *
   * Abort `signal` with {@linkcode ConnectionStalled} if the stream is silent for too long: the next request then uses a new
   * connection.
   */
  async *watch<T = KubeObject>(
    type: ResourceType,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const { namespace, resourceVersion, timeoutSeconds, labelSelector, fieldSelector, ...call } = options;
    const query = {
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion,
      timeoutSeconds,
      labelSelector,
      fieldSelector,
    };
    const path = resourcePath(type, { namespace });
    const stream = await this.#transport.open({
      method: "GET",
      path,
      query,
      signal: call.signal,
      timeoutMs: call.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    });
    try {
      call.onOpen?.();
      if (stream.response.body === null) return;
      for await (const event of decodeJsonLines(stream.response.body)) yield event as WatchEvent<T>;
    } catch (error) {
      throw this.#explainWatchFailure(error, stream);
    } finally {
      stream.close();
    }
  }

  /** Ends idle connections. Running calls end by themselves; later ones fail. */
  close(): void {
    this.#transport.close();
  }

  #write(options: WriteOptions): CallOptions & { readonly query: Record<string, QueryValue> } {
    const { dryRun, fieldManager, ...call } = options;
    return { ...call, query: { fieldManager: fieldManager ?? this.#fieldManager, dryRun: dryRun ? "All" : undefined } };
  }

  #explainWatchFailure(error: unknown, stream: OpenResponse): unknown {
    if (error instanceof SyntaxError) {
      const message = `Cannot read a watch from ${this.server}: each line must be JSON`;
      return new KubeError(message, { status: 0, reason: "InvalidAnswer", cause: error });
    }
    return stream.explain(error);
  }
}

interface RawList<T> {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly T[] | null;
}

function encodePatch(patch: Patch): { readonly contentType: string; readonly body: unknown } {
  switch (patch.kind) {
    case "merge":
      return { contentType: "application/merge-patch+json", body: patch.value };
    case "json":
      return { contentType: "application/json-patch+json", body: patch.operations };
  }
}

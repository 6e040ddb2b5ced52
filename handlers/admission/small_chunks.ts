import { smallChunks } from "../../kube/client/small_chunks.ts";

const SMALL_BYTES = 400;

/** A JSON answer in small pieces, without a content length: one in a single write would wait for an acknowledgement. */
export function jsonInSmallChunks(value: object): Response {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const body = bytes.length < SMALL_BYTES ? bytes : smallChunks(bytes);
  return new Response(body, { headers: { "content-type": "application/json" } });
}

import { Hono } from "hono";
import { smallChunks } from "../../kube/client/small_chunks.ts";

// Hono over TLS, which reads each body as JSON and sends it back: a review without a verdict.
const app = new Hono();
app.post("/echo", async (c) => c.json(await c.req.json()));
app.post(
  "/echo-in-chunks",
  async (c) => c.body(smallChunks(new TextEncoder().encode(JSON.stringify(await c.req.json())))),
);
const { ECHO_CERTIFICATE: cert = "", ECHO_KEY: key = "" } = Deno.env.toObject();
Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.args[0]), cert, key, onListen() {} }, app.fetch);

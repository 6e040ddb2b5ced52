/** `deno task serve`: reviews without the loop, behind a TLS terminator. `deno serve` wants a default export. */
import { createServerlessApp } from "./handlers/admission/serverless.ts";

const app = createServerlessApp(Deno.env.toObject());

export default { fetch: app.fetch };

// The command line is this file's: what it prints goes to a person.
// deno-lint-ignore-file no-console
/** `deno task serve`: reviews without the loop, behind a TLS terminator. `deno serve` wants a default export. */
import { createServerlessApp } from "./handlers/admission/serverless.ts";
import { parseServe } from "./handlers/commands/parse_command.ts";
import { StartError } from "./handlers/errors.ts";

async function startApp() {
  const env = Deno.env.toObject();
  const command = parseServe(Deno.args, env);
  switch (command.kind) {
    case "help":
      console.log(command.text);
      return Deno.exit(0);
    case "usage":
      console.error(command.message);
      return Deno.exit(64);
    case "serve":
      return await createServerlessApp(command.options, { env, readTextFile: (path) => Deno.readTextFile(path) });
  }
}

const { app, close } = await startApp().catch((error) => {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  return Deno.exit(1);
});

// Deno lets the reviews that run end, and the process when nothing is left of it.
Deno.addSignalListener("SIGTERM", () => void close());

export default { fetch: app.fetch };

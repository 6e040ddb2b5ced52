/**
 * Prints where npm's package of one major version has its `postgres`; downloads it if it is not there. A process with an import
 * map and a lock of its own: nobody who runs the operator gets four servers.
 */
const [platform = "", version = ""] = Deno.args;
const { postgres } = await import(`${platform}/${version}`) as { readonly postgres: string };
await Deno.stdout.write(new TextEncoder().encode(postgres));

/**
 * Runs before an operator (`deno run --preload`): its wall clock is that of the machine until a signal moves it, as an administrator or a
 * time server does. Timers and the steady clock stay as they are, as they do then.
 */
const HOUR_MS = 3_600_000;
const STEPS = { SIGHUP: HOUR_MS, SIGUSR2: -365 * 24 * HOUR_MS } as const;
const machineNow = Date.now;
let movedMs = 0;

function now(): number {
  return machineNow() + movedMs;
}

globalThis.Date = new Proxy(Date, {
  construct: (target, parts, asked) => Reflect.construct(target, parts.length === 0 ? [now()] : parts, asked),
  get: (target, name) => name === "now" ? now : Reflect.get(target, name),
});

for (const [signal, stepMs] of Object.entries(STEPS)) {
  Deno.addSignalListener(signal as keyof typeof STEPS, () => {
    movedMs += stepMs;
    Deno.stderr.writeSync(new TextEncoder().encode(`the clock was moved by ${stepMs} ms\n`));
  });
}

const encoder = new TextEncoder();

/** Writes for the user who waits in the terminal. */
export function printLine(text: string): void {
  write(Deno.stdout, text);
}

/** Writes a line about what went wrong. */
export function printErrorLine(text: string): void {
  write(Deno.stderr, text);
}

function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = encoder.encode(`${text}\n`);
  try {
    for (let offset = 0; offset < bytes.length;) offset += stream.writeSync(bytes.subarray(offset));
  } catch {
    // The reader has gone; that is no reason to fail.
  }
}

/** A failure that the user can act on: its message is one line and is shown without a stack. */
export class LocalError extends Error {
  override readonly name = "LocalError";
}

/** The reason of whatever was thrown, as one line. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0] ?? text;
}

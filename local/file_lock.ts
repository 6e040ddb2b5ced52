import { delay } from "@std/async/delay";

/** A lock that the kernel gives back when its process ends, however it ends. */
export interface FileLock {
  release(): void;
}

export type LockAttempt =
  | { readonly kind: "held"; readonly lock: FileLock }
  /** Somebody else has it; `owner` is the process that wrote its number there. */
  | { readonly kind: "busy"; readonly owner: string };

/** Takes the lock file at `path` if nobody has it; children do not inherit it. */
export function tryLock(path: string): LockAttempt {
  const file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
  if (!file.tryLockSync(true)) {
    file.close();
    return { kind: "busy", owner: Deno.readTextFileSync(path).trim() || "unknown" };
  }
  file.truncateSync();
  file.writeSync(new TextEncoder().encode(`${Deno.pid}\n`));
  return { kind: "held", lock: { release: () => file.close() } };
}

/** Waits until the lock is ours. `onWait` is called once, with the owner, when it is not so at once. */
export async function waitForLock(
  path: string,
  onWait: (owner: string) => void,
  signal: AbortSignal,
): Promise<FileLock> {
  for (let waited = false;; waited = true) {
    signal.throwIfAborted();
    const attempt = tryLock(path);
    if (attempt.kind === "held") return attempt.lock;
    if (!waited) onWait(attempt.owner);
    await delay(250, { signal });
  }
}

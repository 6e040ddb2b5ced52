/**
 * Tells of errors for which nobody waited: the runtime would print them, with whatever secret they hold, and end the process before
 * anything is drained or freed.
 */
export function listenForStrayErrors(onError: (error: unknown) => void): Disposable {
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    onError(event.reason);
  };
  const onException = (event: ErrorEvent) => {
    event.preventDefault();
    onError(event.error);
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onException);
  return {
    [Symbol.dispose]() {
      globalThis.removeEventListener("unhandledrejection", onRejection);
      globalThis.removeEventListener("error", onException);
    },
  };
}

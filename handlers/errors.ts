/** A failure that the person who started the operator can mend; its message is one line and all that is shown. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** A text that anybody may read, and where it stood. */
export interface PublicText {
  readonly where: string;
  readonly text: string;
}

/** Secrets and row values that stand in texts which others may read; the value itself is not repeated. */
export function leaks(texts: readonly PublicText[], canaries: readonly string[]): readonly string[] {
  return texts.flatMap(({ where, text }) =>
    canaries.flatMap((canary, index) => text.includes(canary) ? [`canary ${index + 1} stands in ${where}`] : [])
  );
}

import type { ApiRequest } from "../proxies/api_fault_proxy.ts";

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

/** Every password that an operator wrote into a Secret: it may stand nowhere else. */
export function passwordsIn(writes: readonly Pick<ApiRequest, "path" | "body">[]): readonly string[] {
  const bodies = writes.filter(({ path, body }) => isSecret(path) && body.startsWith("{"))
    .map(({ body }) => JSON.parse(body) as SecretBody);
  const texts = bodies.flatMap(({ data = {}, stringData = {} }) => [
    ...Object.entries(data).map(([key, value]) => [key, atob(value)] as const),
    ...Object.entries(stringData),
  ]);
  const passwords = texts.filter(([key, text]) => /password$/.test(key) && text !== "").map(([, text]) => text);
  return [...new Set(passwords)];
}

/** Whether a request is about a Secret, where secrets belong. */
export function isSecret(path: string): boolean {
  return /\/secrets(\/|$)/.test(path);
}

interface SecretBody {
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

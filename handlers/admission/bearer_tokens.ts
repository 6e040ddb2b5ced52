import { StartError } from "../errors.ts";

/** What the header of a request can carry (RFC 6750), and long enough that nobody guesses it. */
const TOKEN = /^[A-Za-z0-9._~+/-]{16,}=*$/;

/**
 * Reads the tokens of which a review must carry one, one a line: two while one replaces the other. Empty without a file.
 *
 * @throws {StartError} one line, without anything of a token.
 */
export async function readBearerTokens(
  path: string | undefined,
  readTextFile: (path: string) => Promise<string>,
): Promise<readonly string[]> {
  if (path === undefined) return [];
  let text: string;
  try {
    text = await readTextFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`Cannot read --webhook-token-file: ${reason}`);
  }
  const tokens = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  if (tokens.length > 0 && tokens.every((token) => TOKEN.test(token))) return tokens;
  throw new StartError(
    "Cannot use --webhook-token-file: it must hold at least one token, one a line, each of at least 16 characters of " +
      "A-Z a-z 0-9 . _ ~ + / - with = only at the end",
  );
}

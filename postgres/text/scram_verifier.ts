const ITERATIONS = 4_096;

/**
 * What PostgreSQL stores for a password (RFC 5803): from it nobody can log in. The password must be printable ASCII, which
 * SASLprep leaves as it is.
 *
 * @param salt 16 random bytes.
 */
export async function scramVerifier(password: string, salt: Uint8Array<ArrayBuffer>): Promise<string> {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(password), "PBKDF2", false, ["deriveBits"]);
  const derivation = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ITERATIONS };
  const salted = new Uint8Array(await crypto.subtle.deriveBits(derivation, key, 256));
  const clientKey = await hmac(salted, "Client Key");
  const storedKey = new Uint8Array(await crypto.subtle.digest("SHA-256", clientKey));
  const serverKey = await hmac(salted, "Server Key");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toBase64()}$${storedKey.toBase64()}:${serverKey.toBase64()}`;
}

async function hmac(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const hash = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, hash, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, new TextEncoder().encode(text)));
}

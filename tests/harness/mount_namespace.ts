import { assertEquals } from "@std/assert";

/** Names the folder of the small disk, to whatever runs beside it. */
export const SMALL_DISK_VARIABLE = "TABLEWRIGHT_SMALL_DISK";

/** Whoever is not root may mount what only a user namespace of its own sees. */
const AS_ANYBODY = ["--user", "--map-current-user", "--keep-caps"];

/**
 * Runs a file of tests beside a disk that has so much room and is nobody else's: in a mount namespace, so that nothing is mounted on
 * this machine. Fails with the output if one of them fails, or if this machine allows no such disk.
 */
export async function testOnSmallDisk(path: string, megabytes: number): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "tablewright-disk-" });
  const mount = `mount -t tmpfs -o size=${megabytes}m,mode=0755 tmpfs "$2"`;
  const script = `${mount} && exec "$0" test --allow-all --no-check "$1"`;
  try {
    const { success, stdout, stderr } = await new Deno.Command("unshare", {
      args: [...(Deno.uid() === 0 ? [] : AS_ANYBODY), "--mount", "sh", "-c", script, Deno.execPath(), path, directory],
      env: { [SMALL_DISK_VARIABLE]: directory },
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    assertEquals(success, true, decoder.decode(stdout) + decoder.decode(stderr));
  } finally {
    await Deno.remove(directory);
  }
}

import { dirname, join } from "@std/path";

/** Where npm packages come from on this machine, and whom it trusts. */
const PASSED_ON = /^(npm_config_.*|https?_proxy|no_proxy|ssl_cert_.*|node_extra_ca_certs)$/i;

/** Programs and libraries of this machine in place of those of a base image; nothing of them can be written. */
const ENTER = `set -e
root=$0; user=$1; folder=$2; deno=$3; shift 3; shift
for each in usr etc dev proc; do mkdir -p "$root/$each"; mount --rbind "/$each" "$root/$each"; done
mount -o remount,bind,ro "$root/usr"
for each in bin sbin lib lib64; do [ -e "$root/$each" ] || ln -s "usr/$each" "$root/$each"; done
mkdir -p "$root/opt/deno" "$root/tmp"
touch "$root/opt/deno/deno"
mount --bind "$deno" "$root/opt/deno/deno"
if [ "$user" != 0 ]; then mount --rbind "$root" "$root"; mount -o remount,bind,ro "$root"; fi
exec chroot "$root" setpriv --reuid "$user" --regid "$user" --clear-groups sh -c 'cd "$0" && exec "$@"' "$folder" "$@"`;

/** How a command is run in a scratch root. */
export interface RunOptions {
  /** Everybody but 0 finds a root that cannot be written. */
  readonly uid: number;
  readonly workingDirectory: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A folder that stands for the file system of a container. */
export class ScratchRoot {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<ScratchRoot> {
    const path = await Deno.makeTempDir({ prefix: "tablewright-image-" });
    await Deno.chmod(path, 0o755);
    const npmrc = join(Deno.env.get("HOME") ?? "", ".npmrc");
    await Deno.mkdir(join(path, "root"));
    await Deno.copyFile(npmrc, join(path, "root/.npmrc")).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    return new ScratchRoot(path);
  }

  /** The place of an absolute path. */
  at(path: string): string {
    return join(this.path, path);
  }

  /** Runs a command in a mount namespace of its own, with this folder as root. */
  async run(words: readonly string[], { uid, workingDirectory, env }: RunOptions): Promise<Deno.CommandOutput> {
    const passedOn = Object.entries(Deno.env.toObject()).filter(([name]) => PASSED_ON.test(name));
    const home = uid === 0 ? "/root" : "/nonexistent";
    return await new Deno.Command("unshare", {
      args: ["--mount", "sh", "-c", ENTER, this.path, String(uid), workingDirectory, Deno.execPath(), "--", ...words],
      clearEnv: true,
      env: { ...Object.fromEntries(passedOn), PATH: "/opt/deno:/usr/bin:/bin:/usr/sbin:/sbin", HOME: home, ...env },
      stdin: "null",
    }).output();
  }

  /** Copies a file, or what is in a folder, as COPY does. */
  async copy(from: string, to: string): Promise<void> {
    await Deno.mkdir(dirname(this.at(to)), { recursive: true });
    const { isDirectory } = await Deno.stat(from);
    const target = isDirectory || to.endsWith("/") ? `${this.at(to)}/` : this.at(to);
    if (target.endsWith("/")) await Deno.mkdir(target, { recursive: true });
    const source = isDirectory ? `${from}/.` : from;
    const { success, stderr } = await new Deno.Command("cp", { args: ["-r", source, target] }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  }

  /** Removes files by the pattern of their names, below a folder. */
  async removeMatching(folder: string, pattern: string): Promise<void> {
    const { success } = await new Deno.Command("find", { args: [this.at(folder), "-name", pattern, "-delete"] })
      .output();
    if (!success) throw new Error(`cannot remove ${pattern}`);
  }

  async remove(): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

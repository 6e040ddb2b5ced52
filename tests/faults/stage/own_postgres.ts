import { findFreePort } from "../../../local/ports.ts";
import { type PostgresServer, startPostgres, THROWAWAY_SETTINGS } from "../../../local/postgres_server.ts";
import { dataDirectory } from "../../../local/postgres_setup.ts";
import { connect } from "../../harness/sql.ts";
import { openTestbed, type OwnTestbed } from "../../harness/testbed.ts";
import { eventually } from "../../harness/wait.ts";

/** A PostgreSQL of one plan, beside the control plane of all of them: what becomes of it concerns nobody else. */
export class OwnPostgres {
  /** With this server; ends with it. */
  readonly testbed: OwnTestbed;
  readonly #directory: string;
  readonly #port: number;
  #server: PostgresServer;

  private constructor(directory: string, port: number, running: { server: PostgresServer; shared: OwnTestbed }) {
    this.#directory = directory;
    this.#port = port;
    this.#server = running.server;
    const { superuserUrl } = running.server;
    this.testbed = { ...running.shared, superuserUrl, stop: () => this.#end(running.shared) };
  }

  /** @param parent Where its data will be; default: where temporary files are. */
  static async start(parent?: string): Promise<OwnPostgres> {
    const directory = await Deno.makeTempDir({
      prefix: "tablewright-own-",
      ...(parent === undefined ? {} : { dir: parent }),
    });
    // PostgreSQL runs as another user than root and must be able to enter.
    await Deno.chmod(directory, 0o755);
    const port = findFreePort();
    const [server, shared] = await Promise.all([start(directory, port), openTestbed()]);
    return new OwnPostgres(directory, port, { server, shared });
  }

  /** Resolves when the server has ended by itself. */
  get ended(): Promise<string> {
    return this.#server.failed;
  }

  /** Starts it where it was, after it has ended. */
  async startAgain(): Promise<void> {
    this.#server = await start(this.#directory, this.#port);
  }

  /** Puts the data of this moment aside: a standby that gets nothing from now on. The server is away for a moment. */
  async keepStandby(): Promise<void> {
    await this.#server.stop();
    await run("cp", "--archive", this.#data, this.#standby);
    await this.startAgain();
  }

  /**
   * The server dies, and the standby takes its place, its address, and a timeline of its own: what was committed since
   * {@linkcode keepStandby} is lost. It takes no writes before `promote` resolves.
   */
  async failOver(promote: Promise<void>): Promise<void> {
    await this.#server.stop("immediate");
    await Deno.remove(this.#data, { recursive: true });
    await Deno.rename(this.#standby, this.#data);
    await Deno.writeTextFile(`${this.#data}/standby.signal`, "");
    await Promise.all([this.startAgain(), this.#promote(promote)]);
  }

  async #promote(when: Promise<void>): Promise<void> {
    const sql = connect(this.#server.superuserUrl, 1);
    const answers = () => sql.unsafe("SELECT 1").then(() => true, () => false);
    await eventually("the standby answers", answers);
    await when;
    await sql.unsafe("SELECT pg_promote()");
    await sql.end({ timeout: 1 });
  }

  get #data(): string {
    return dataDirectory({ directory: `${this.#directory}/postgres` });
  }

  get #standby(): string {
    return `${this.#data}.standby`;
  }

  async #end(shared: OwnTestbed): Promise<void> {
    await this.#server.stop("immediate");
    await Deno.remove(this.#directory, { recursive: true });
    await shared.stop();
  }
}

async function start(directory: string, port: number): Promise<PostgresServer> {
  const options = { directory: `${directory}/postgres`, port, settings: THROWAWAY_SETTINGS };
  return await startPostgres(options, new AbortController().signal);
}

async function run(program: string, ...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

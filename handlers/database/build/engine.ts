import type { DatabaseType } from "../../../crds/database/types.ts";
import { POSTGRES_INITIALIZATION } from "./initialization.ts";
import type { Login } from "./login.ts";
import { CREDENTIALS_PATH } from "./paths.ts";
import { mongoProbe, mysqlProbe, postgresProbe } from "./probes.ts";

/** What the official image of a server expects. */
export interface Engine {
  readonly type: DatabaseType;
  readonly port: number;
  /** The name that clients of the Service Binding specification know. */
  readonly bindingType: "postgresql" | "mysql" | "mongodb";
  /** Name of the administrator, if there is one beside the user that applications log in as. */
  readonly administrator: string | undefined;
  readonly data: { readonly mountPath: string; readonly subPath?: string };
  /** Folders that must be writable though the root is not. */
  readonly scratch: readonly { readonly name: string; readonly mountPath: string }[];
  /** By major version. */
  readonly env: (login: Login, major: string) => Readonly<Record<string, string>>;
  /** A script for `sh -c` that succeeds when the server lets the user in. */
  readonly probe: (major: string) => string;
  /** Runs once, at the first start, where the image looks for scripts. */
  readonly initialization?: { readonly script: string; readonly mountPath: string; readonly file: string };
  /** Options that a client needs in its URI. */
  readonly uriOptions: string;
}

const TMP = { name: "tmp", mountPath: "/tmp" };

/** `postgres` is a superuser; applications get a role that is none, which is made when the server starts first. */
const POSTGRES: Engine = {
  type: "postgres",
  port: 5432,
  bindingType: "postgresql",
  administrator: "postgres",
  // 18 moved the volume here, and the root of a volume holds lost+found: the data is below, for every version.
  data: { mountPath: "/var/lib/postgresql" },
  scratch: [TMP, { name: "run", mountPath: "/var/run/postgresql" }],
  env: ({ database, adminKey }, major) => ({
    PGDATA: `/var/lib/postgresql/${major}/docker`,
    POSTGRES_USER: "postgres",
    POSTGRES_DB: database,
    POSTGRES_PASSWORD_FILE: `${CREDENTIALS_PATH}/${adminKey}`,
  }),
  probe: () => postgresProbe(),
  initialization: {
    script: POSTGRES_INITIALIZATION,
    mountPath: "/docker-entrypoint-initdb.d",
    file: "10-role.sh",
  },
  uriOptions: "",
};

const MYSQL: Engine = {
  type: "mysql",
  port: 3306,
  bindingType: "mysql",
  administrator: "root",
  data: { mountPath: "/var/lib/mysql", subPath: "data" },
  scratch: [TMP, { name: "run", mountPath: "/var/run/mysqld" }],
  env: ({ username, database, adminKey }) => ({
    MYSQL_DATABASE: database,
    MYSQL_ROOT_PASSWORD_FILE: `${CREDENTIALS_PATH}/${adminKey}`,
    // The image refuses to make a user root.
    ...(username === "root" ? {} : { MYSQL_USER: username, MYSQL_PASSWORD_FILE: `${CREDENTIALS_PATH}/password` }),
  }),
  probe: () => mysqlProbe(),
  uriOptions: "",
};

const MONGO: Engine = {
  type: "mongo",
  port: 27017,
  bindingType: "mongodb",
  administrator: undefined,
  data: { mountPath: "/data/db", subPath: "data" },
  scratch: [TMP, { name: "configdb", mountPath: "/data/configdb" }],
  env: ({ username, database }) => ({
    HOME: "/tmp",
    MONGO_INITDB_DATABASE: database,
    MONGO_INITDB_ROOT_USERNAME: username,
    MONGO_INITDB_ROOT_PASSWORD_FILE: `${CREDENTIALS_PATH}/password`,
  }),
  probe: mongoProbe,
  uriOptions: "?authSource=admin",
};

const ENGINES: Readonly<Record<DatabaseType, Engine>> = { mongo: MONGO, mysql: MYSQL, postgres: POSTGRES };

/** What the official image of that type expects. */
export function engineOf(type: DatabaseType): Engine {
  return ENGINES[type];
}

import { HELP } from "../config.ts";

export type Subcommand = "plan" | "import" | "uninstall" | "serve";

const PLAN = `Prints the SQL that applying files would run, with its locks and hazards; writes nothing

Usage: tablewright plan -f FILE [-f FILE]... [-o text|json] [-n NAMESPACE] [--server NAME]

  -f, --filename FILE       a file, a folder (its .yaml, .yml and .json files) or - for standard input; repeatable
  -o, --output text|json    (text)
  -n, --namespace NAME      of objects that name none (default)
      --server NAME         DATABASE_URL is the server of this databaseRef or connectionSecretRef, and tables in it are judged;
                            without it the operator's own, and tables that name no server are
      --allow-function SCHEMA.NAME   as given to the operator; repeatable (also TABLEWRIGHT_ALLOW_FUNCTION)
  -h, --help

No cluster is asked: a table belongs to an object if the registry in the database names its namespace and name.
What only the API server knows (CEL rules, RBAC, the object before the change) is judged when the file is applied.

Exit code: 0 nothing to do, 2 there are changes, 3 refused (each fault with its field), 1 could not be judged, 64 usage

Environment: DATABASE_URL
`;

const IMPORT = `Prints DatabaseTables for tables that exist, such that planning them changes nothing; writes nothing

Usage: tablewright import [--schema SCHEMA] [TABLE...]

      --schema SCHEMA       (public)
  -n, --namespace NAME      written into the objects
      --allow-function SCHEMA.NAME   as given to the operator; repeatable (also TABLEWRIGHT_ALLOW_FUNCTION)
  -h, --help

TABLE is a name as in SQL: it folds to lower case unless it is in double quotes, and may have a schema before it.
The objects have adoptionPolicy IfIdentical and deletionPolicy Retain. What no spec can say is a comment, and a line on
standard error.

Exit code: 0 everything is there, 2 something was left out, 1 the database could not be read, 64 usage

Environment: DATABASE_URL
`;

const UNINSTALL =
  `Removes webhook configurations and finalizers from a cluster; keeps every table, Pod, volume and object

Usage: tablewright uninstall [--yes] [--force]

  -y, --yes                 remove; without it what would be removed is only listed
      --force               although an operator holds the Lease, and would put everything back
      --instance NAME       of the configurations and the Lease (tablewright)
      --lease-namespace NAME   where the Lease is (all namespaces are looked through)
      --context NAME        use this context of the kubeconfig
  -h, --help

Stop the operator first. Afterwards the kinds can be deleted, and their tables stay.

Exit code: 0 removed or nothing there, 2 there is something to remove (without --yes), 3 an operator runs, 1 failed,
64 usage

Environment: KUBECONFIG
`;

const SERVE = `Answers admission reviews over HTTP, behind a TLS terminator, without a loop and without a cluster

Usage: deno task serve [flags]

      --webhook-token-file FILE      a review must carry one of the bearer tokens in it, one a line
      --allow-function SCHEMA.NAME   as given to the operator; repeatable (also TABLEWRIGHT_ALLOW_FUNCTION, comma-separated)
  -h, --help

Where it listens is said to Deno: deno serve --host=127.0.0.1 --port=8000 --permission-set=operator --no-prompt serve.ts [flags]

Environment: DATABASE_URL, and with it TABLEWRIGHT_CLUSTER_ID: the uid of the namespace kube-system
`;

/** The help of each command. */
export const HELPS: ReadonlyMap<string, string> = new Map([
  ["run", HELP],
  ["plan", PLAN],
  ["import", IMPORT],
  ["uninstall", UNINSTALL],
  ["serve", SERVE],
]);

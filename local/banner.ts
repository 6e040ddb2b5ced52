export interface BannerOptions {
  /** Absolute path of the clone. */
  readonly clone: string;
  /** Absent when the user chose a cluster: then the user's own settings apply. */
  readonly kubeconfig?: string;
  /** File with the URL of the embedded database; absent when the user chose one. */
  readonly databaseUrlFile?: string;
  /** How to call kubectl: its name, or a path when it is not on `PATH`. */
  readonly kubectl: string;
  readonly hasPsql: boolean;
  /** Whether the API server asks us before it stores a change. */
  readonly admission: boolean;
  /** Whether Pods are objects only. */
  readonly simulatesPods: boolean;
}

const SIMULATED = "Pods of this cluster are simulated (KWOK): they become Ready, but no container runs in them.";
const SAMPLE = "manifests/samples/website-users.yaml";

/** What to type next, ready to paste into another terminal. */
export function formatBanner(options: BannerOptions): string {
  const kubectl = quote(options.kubectl);
  const lines = [
    "",
    "Tablewright is ready. In another terminal:",
    "",
    `  cd ${quote(options.clone)}`,
    ...(options.kubeconfig === undefined ? [] : [`  export KUBECONFIG=${quote(options.kubeconfig)}`]),
    ...(options.databaseUrlFile === undefined
      ? []
      : [`  export DATABASE_URL="$(cat ${quote(options.databaseUrlFile)})"`]),
    `  ${kubectl} apply -f ${SAMPLE}`,
    `  ${kubectl} wait --for=condition=Ready databasetable/website-users`,
    ...(options.hasPsql ? [`  psql "$DATABASE_URL" -c '\\d website_users'`] : []),
    "",
    ...(options.admission ? removalLines(kubectl) : []),
    ...(options.simulatesPods ? [SIMULATED, ""] : []),
    "Ctrl-C stops everything.",
    "",
  ];
  return lines.join("\n");
}

function removalLines(kubectl: string): readonly string[] {
  return [
    "Remove a column, and see it refused before anything runs:",
    "",
    `  sed /LAST_LOGIN/d ${SAMPLE} | ${kubectl} apply --dry-run=server -f -`,
    "",
  ];
}

/** As one word of a shell. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

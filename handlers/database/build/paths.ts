/** Where the Secret with the passwords is mounted: every key is a file. */
export const CREDENTIALS_PATH = "/etc/tablewright/credentials";

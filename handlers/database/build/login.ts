/** Who logs in at a server, and where the password is. */
export interface Login {
  readonly username: string;
  readonly database: string;
  /** Name of the Secret whose key `password` is the user's. */
  readonly secretName: string;
  /** Whether that Secret belongs to the user: then it is read only. */
  readonly isUserSecret: boolean;
  /** Key of the administrator's password; the user may be the administrator. */
  readonly adminKey: "password" | "admin-password";
}

import { CREDENTIALS_PATH } from "./paths.ts";

/**
 * Scripts that log in over TCP, to the address of the Pod itself: images trust 127.0.0.1, and while they initialise a server they
 * run a temporary one that only this machine reaches. The password is read from the mounted file at each run and is in no argument.
 *
 * They need `POD_IP`, `SERVER_PORT`, `LOGIN_USERNAME` and `LOGIN_DATABASE`.
 */

/** While a password is rotated the server may have the old or the next one, and the mounted files may lag behind. */
export function postgresProbe(credentials: string = CREDENTIALS_PATH): string {
  return `for file in password next-password; do
  [ -r "${credentials}/$file" ] || continue
  PGPASSWORD="$(cat "${credentials}/$file")" PGCONNECT_TIMEOUT=3 psql -X -q -w -h "$POD_IP" -p "$SERVER_PORT" \\
    -U "$LOGIN_USERNAME" -d "$LOGIN_DATABASE" -Atc 'SELECT 1' >/dev/null && exit 0
done
exit 1`;
}

/** `mysqladmin ping` would succeed although the login is denied. */
export function mysqlProbe(): string {
  return `MYSQL_PWD="$(cat "${CREDENTIALS_PATH}/password")" exec mysql --no-defaults --protocol=TCP --connect-timeout=3 \\
  -h "$POD_IP" -P "$SERVER_PORT" -u "$LOGIN_USERNAME" -e 'SELECT 1' "$LOGIN_DATABASE" >/dev/null`;
}

/** The shell is `mongo` up to 5 and `mongosh` from 6; both read the password themselves. */
export function mongoProbe(major: string): string {
  const isLegacy = Number(major.split(".")[0]) < 6;
  const read = isLegacy ? "cat(path)" : 'require("fs").readFileSync(path, "utf8")';
  return `exec ${isLegacy ? "mongo" : "mongosh"} --quiet --norc --host "$POD_IP" --port "$SERVER_PORT" admin <<SCRIPT
var path = "${CREDENTIALS_PATH}/password";
var password = ${read}.replace(/\\n+$/, "");
var isIn; try { isIn = db.auth("$LOGIN_USERNAME", password); } catch (error) { isIn = false; }
quit(isIn && isIn !== 0 ? 0 : 1);
SCRIPT`;
}

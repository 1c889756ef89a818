/**
 * The connection URL, in the form that libpq and every PostgreSQL tool know.
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 *
 *     postgres://user:password@host:5432/database?sslmode=verify-full&sslrootcert=/etc/ca.pem
 *     postgres://user:password@/database?host=/run/postgresql
 *
 * It is read here and not by the driver, so that no environment variable of another program
 * (`PGDATABASE`, `DATABASE_URL`) changes where the metadata goes, and so that no error repeats it:
 * it holds the password.
 */

export type SslMode = "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full";

export interface PostgresAddress {
  /** A name, an address, or the directory of a unix socket, which begins with `/`. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly sslMode: SslMode;
  /** A file with the certificates to trust. */
  readonly sslRootCertificate: string | undefined;
}

const sslModes: readonly string[] = [
  "disable",
  "allow",
  "prefer",
  "require",
  "verify-ca",
  "verify-full",
] satisfies readonly SslMode[];

const knownParameters = ["host", "port", "sslmode", "sslrootcert"];

/** @throws Error that says what is wrong without repeating the URL */
export function parsePostgresUrl(text: string): PostgresAddress {
  // `postgres://user@/database` is usual for a unix socket, but a URL without a host is no URL.
  const match = /^(?:postgres|postgresql):\/\/(?:([^/?#]*)@)?([^/?#@]*)(\/[^?#]*)?(\?[^#]*)?$/.exec(
    text,
  );
  if (match === null) throw malformed("it must look like postgres://user@host:port/database");
  const [, credentials = "", authority = "", path = "", search = ""] = match;
  const parameters = new URLSearchParams(search);
  for (const name of parameters.keys()) {
    if (!knownParameters.includes(name)) {
      throw malformed(`only ${knownParameters.join(", ")} are known as parameters`);
    }
  }
  const colon = credentials.indexOf(":");
  const user = decode(colon < 0 ? credentials : credentials.slice(0, colon));
  const password = colon < 0 ? "" : decode(credentials.slice(colon + 1));
  if (user === "") throw malformed("it names no user");
  const database = decode(path.slice(1));
  if (database === "") throw malformed("it names no database");
  const { host, port } = parseAuthority(authority);
  const sslMode = parameters.get("sslmode") ?? "prefer";
  if (!isSslMode(sslMode)) throw malformed(`sslmode must be one of ${sslModes.join(", ")}`);
  return {
    host: parameters.get("host") ?? (host === "" ? "127.0.0.1" : host),
    port: parsePort(parameters.get("port") ?? port),
    user,
    password,
    database,
    sslMode,
    sslRootCertificate: parameters.get("sslrootcert") ?? undefined,
  };
}

/** `host`, `host:port`, `[2001:db8::1]:port`, or a socket directory as `%2Frun%2Fpostgresql`. */
function parseAuthority(authority: string): { host: string; port: string } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*))(?::(\d*))?$/.exec(authority);
  if (match === null) throw malformed("its host is malformed");
  return { host: match[1] ?? decode(match[2] ?? ""), port: match[3] ?? "" };
}

function parsePort(text: string): number {
  if (text === "") return 5432;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535)
    throw malformed("its port is malformed");
  return port;
}

function isSslMode(text: string): text is SslMode {
  return sslModes.includes(text);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed("a percent sign must be written as %25");
  }
}

function malformed(reason: string): Error {
  return new Error(`the PostgreSQL URL is malformed: ${reason}`);
}

/** Connections to PostgreSQL, statements on them, and what their errors mean. */
import type { SqlValue } from "./metadata-store.ts";
import { checkParameters } from "./parameters.ts";
import type { PostgresAddress } from "./postgres-url.ts";

/**
 * A pool. Every field is given, so that none is taken from the environment.
 * @param settings run-time parameters of its sessions
 */
export function connect(
  address: PostgresAddress,
  connectionsLimit: number,
  settings: Readonly<Record<string, string>> = {},
): Bun.SQL {
  return new Bun.SQL({
    adapter: "postgres",
    hostname: address.host,
    port: address.port,
    username: address.user,
    password: address.password,
    database: address.database,
    tls: address.sslRootCertificate
      ? { ca: Bun.file(address.sslRootCertificate) }
      : address.sslMode,
    max: connectionsLimit,
    bigint: true,
    connectionTimeout: 10,
    connection: {
      application_name: "portolan",
      // A node that hangs or vanishes in the middle of a transaction holds the journal's counter:
      // the server ends its session, instead of every other node waiting for hours.
      idle_in_transaction_session_timeout: 60_000,
      tcp_keepalives_idle: 20,
      tcp_keepalives_interval: 5,
      tcp_keepalives_count: 4,
      ...settings,
    },
  });
}

export async function runStatement<Row>(
  connection: Bun.SQL,
  sql: string,
  parameters: readonly SqlValue[],
): Promise<Row[]> {
  checkParameters(parameters);
  const values = parameters.map((value) =>
    // Always bigint: a number would be declared as integer or bigint by its size, and the server
    // would prepare the statement anew for every mixture.
    typeof value === "number" ? BigInt(value) : value,
  );
  const result: Record<string, unknown>[] = await connection.unsafe(sql, values);
  // The client has an array class of its own, and Node's for bytes: nobody above shall meet them.
  const rows = Array.from(result);
  for (const row of rows) {
    for (const column in row) {
      const value = row[column];
      if (typeof value === "bigint") row[column] = toNumber(value, column);
      else if (typeof value === "boolean") row[column] = value ? 1 : 0;
      else if (value instanceof Uint8Array) row[column] = plainBytes(value);
    }
  }
  return rows as Row[];
}

function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function toNumber(value: bigint, column: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${column} is not a safe integer`);
  return number;
}

/** When the connection is lost here, nobody knows whether the commit happened. Never repeated. */
export class CommitUnknownError extends Error {
  override readonly name = "CommitUnknownError";
  constructor(cause: unknown) {
    super("the connection was lost during a commit, which may or may not have happened", { cause });
  }
}

/**
 * Commits, and makes the commit durable when asked.
 *
 * A plain commit keeps its locks until the log is on the disk, and with them the journal's counter:
 * one commit per fsync for the whole region. So every commit is asynchronous, which frees the locks
 * at once, and a durable one is followed by a record that is not: its fsync (and the confirmation of
 * synchronous standbys) covers everything written before it, and the server shares it among all
 * that wait. Both travel together on one connection, which would not have survived a crash of the
 * server between the two.
 */
export async function commit(connection: Bun.SQL, durable: boolean): Promise<void> {
  const sql = durable ? `commit; ${durabilityRecord}` : "commit";
  let answers: CommandResult | CommandResult[];
  try {
    answers = await connection.unsafe(sql);
  } catch (error) {
    throw isConnectionLost(error) ? new CommitUnknownError(error) : error;
  }
  const answer = durable ? (answers as CommandResult[])[0] : (answers as CommandResult);
  // The server answers a commit of a failed transaction with a rollback and no error.
  if (answer?.command !== "COMMIT") throw new Error("the transaction was rolled back");
}

interface CommandResult {
  readonly command: string;
}

/** The session's own setting, unless that would never wait for the disk. */
export async function durableSettings(connection: Bun.SQL): Promise<Record<string, string>> {
  const rows: { synchronous_commit: string }[] = await connection.unsafe("show synchronous_commit");
  return rows[0]?.synchronous_commit === "off" ? { synchronous_commit: "on" } : {};
}

/** `set local` ends with the transaction: the record behind it is synchronous again. */
export const beginStatements =
  "begin isolation level read committed; set local synchronous_commit = off";
const durabilityRecord = "select pg_logical_emit_message(true, 'portolan', '')";

/** The server asks to repeat the transaction, or it was lost before its commit. */
export function isRepeatable(error: unknown): boolean {
  const state = sqlState(error);
  // serialization_failure, deadlock_detected
  return state === "40001" || state === "40P01" || isConnectionLost(error);
}

/**
 * The connection is gone, and with it the transaction. Class 08: connection; class 57P: the server
 * was stopped, crashed, or is starting; 25P03: it was idle in a transaction for too long; 53300: too
 * many connections. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
function isConnectionLost(error: unknown): boolean {
  const state = sqlState(error) ?? "";
  if (/^(?:08|57P0)/.test(state) || state === "25P03" || state === "53300") return true;
  const code = error instanceof Bun.SQL.PostgresError ? error.code : "";
  return code === "ERR_POSTGRES_CONNECTION_CLOSED" || code === "ERR_POSTGRES_CONNECTION_REFUSED";
}

function sqlState(error: unknown): string | undefined {
  return error instanceof Bun.SQL.PostgresError ? error.errno : undefined;
}

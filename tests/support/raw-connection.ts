/** A TCP connection for bytes that no client library would send. */
import { connect, type Socket } from "node:net";

export interface RawConnection extends Disposable {
  readonly socket: Socket;
  /** Text goes out as latin1: one byte per character. */
  send(data: string | Uint8Array): void;
  /** Everything received until now, as latin1. */
  received(): string;
  /** Resolves when what was received holds the text or is enough, or the connection has ended. */
  receive(wanted: string | ((received: string) => boolean)): Promise<string>;
  /** Resolves when the server has closed. */
  closed(): Promise<string>;
  /** Drops the connection without a farewell: the server sees a reset. */
  reset(): void;
}

export function connectRaw(port: number): Promise<RawConnection> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let received = "";
  let ended = false;
  const changed = new Set<() => void>();
  const tell = () => {
    for (const listener of [...changed]) listener();
  };
  socket.on("data", (data) => {
    received += data.toString("latin1");
    tell();
  });
  for (const event of ["end", "close", "error"]) {
    socket.on(event, () => {
      ended = true;
      tell();
    });
  }
  const until = (condition: () => boolean) =>
    new Promise<string>((resolve) => {
      const listener = () => {
        if (!condition() && !ended) return;
        changed.delete(listener);
        resolve(received);
      };
      changed.add(listener);
      listener();
    });
  const connection: RawConnection = {
    socket,
    send: (data) =>
      void socket.write(typeof data === "string" ? Buffer.from(data, "latin1") : data),
    received: () => received,
    receive: (wanted) =>
      until(() => (typeof wanted === "string" ? received.includes(wanted) : wanted(received))),
    closed: () => until(() => false),
    reset: () => void socket.resetAndDestroy(),
    [Symbol.dispose]: () => void socket.destroy(),
  };
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(connection));
    socket.once("error", reject);
  });
}

export interface RawResponse {
  readonly status: number;
  /** By lower-case name; repeated ones joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** As latin1. */
  readonly body: string;
}

/**
 * Reads the responses of a connection one behind the other. `methods` are those of the requests, as
 * the answer to HEAD has a length and no body. Interim responses (1xx) are listed too.
 * @throws when what was received is no sequence of responses
 */
export function parseResponses(received: string, methods: readonly string[]): RawResponse[] {
  const responses: RawResponse[] = [];
  const remaining = [...methods];
  for (let rest = received; rest !== ""; ) {
    const end = rest.indexOf("\r\n\r\n");
    const [start = "", ...lines] = rest.slice(0, end).split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(start)?.[1]);
    if (end < 0 || Number.isNaN(status)) throw new Error(`not a response: ${rest.slice(0, 200)}`);
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
    }
    const interim = status < 200;
    const method = interim ? "GET" : (remaining.shift() ?? "GET");
    const length =
      interim || method === "HEAD" || status === 204 || status === 304
        ? 0
        : Number(headers["content-length"] ?? 0);
    const body = rest.slice(end + 4, end + 4 + length);
    if (body.length < length) throw new Error(`cut off: ${body.length} of ${length} bytes`);
    responses.push({ status, headers, body });
    rest = rest.slice(end + 4 + length);
  }
  return responses;
}

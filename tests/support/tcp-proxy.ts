/**
 * A bad line between two servers: a TCP proxy that delays, limits, cuts, corrupts and falls silent.
 * All of it can be changed while connections are open.
 */
import { connect, createServer, type Socket } from "node:net";

export interface LineFaults {
  /** One way; a round trip takes twice as long, and a new connection one round trip more. */
  delayMilliseconds: number;
  /** Each direction of each connection; Infinity is no limit. */
  connectionBytesPerSecond: number;
  /** Each direction of all connections together. */
  linkBytesPerSecond: number;
  /** New connections are reset, as by a host that is up while its server is down. */
  refuse: boolean;
  /** Bytes are taken and go nowhere, as through a firewall that drops them. */
  silent: boolean;
  /** Cuts a connection when so many bytes have come from the client over it; those still arrive. */
  cutAfterBytes: number;
  /** How many connections are cut like that. */
  cuts: number;
  /** Changes one byte, at this position of what a client sends over a connection. */
  corruptByteAt: number;
}

export interface TcpProxy {
  readonly port: number;
  readonly faults: LineFaults;
  /** Accepted since the start. */
  readonly connections: number;
  /** Passed on from clients to the target, and back. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Cuts every open connection on both sides. */
  cut(): void;
  close(): Promise<void>;
}

const perfectLine: LineFaults = {
  delayMilliseconds: 0,
  connectionBytesPerSecond: Number.POSITIVE_INFINITY,
  linkBytesPerSecond: Number.POSITIVE_INFINITY,
  refuse: false,
  silent: false,
  cutAfterBytes: Number.POSITIVE_INFINITY,
  cuts: 1,
  corruptByteAt: Number.POSITIVE_INFINITY,
};

/** Bytes are passed on in pieces of this size, so that they flow evenly. */
const pieceBytes = 16 * 1024;
/** What a direction of a connection may hold back before it stops reading. */
const windowBytes = 512 * 1024;
/** Timers are late: so much of the rate may be caught up. */
const creditMilliseconds = 20;

interface Direction {
  /** When everything has left that was given to the limit. */
  freeAt: number;
}

export async function startTcpProxy(
  target: { readonly host?: string; readonly port: number },
  options: Partial<LineFaults> & { readonly port?: number } = {},
): Promise<TcpProxy> {
  const { port = 0, ...faultOptions } = options;
  const faults: LineFaults = { ...perfectLine, ...faultOptions };
  const sockets = new Set<Socket>();
  const link = { up: { freeAt: 0 }, down: { freeAt: 0 } };
  const counts = { connections: 0, up: 0, down: 0 };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    counts.connections++;
    if (faults.refuse) {
      client.on("error", () => {});
      client.resetAndDestroy();
      return;
    }
    const host = target.host ?? "127.0.0.1";
    const upstream = connect({ host, port: target.port, allowHalfOpen: true });
    let isCut = false;
    const cutBoth = () => {
      if (isCut) return;
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    };
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on("error", cutBoth);
      socket.on("close", () => sockets.delete(socket));
    }
    const acceptedAt = performance.now();
    let received = 0;
    carry(client, upstream, link.up, {
      firstAt: () => acceptedAt + 2 * faults.delayMilliseconds,
      pass(piece) {
        if (isCut) return undefined;
        const rest = faults.cutAfterBytes - received;
        const corruptAt = faults.corruptByteAt - received;
        received += piece.byteLength;
        if (piece.byteLength > rest && faults.cuts > 0) {
          faults.cuts--;
          isCut = true;
          // A reset would also discard what the target has not read yet.
          upstream.end();
          client.resetAndDestroy();
          return undefined;
        }
        if (corruptAt < 0 || corruptAt >= piece.byteLength) return piece;
        faults.corruptByteAt = Number.POSITIVE_INFINITY;
        const changed = Buffer.from(piece);
        changed.writeUInt8(changed.readUInt8(corruptAt) ^ 0xff, corruptAt);
        return changed;
      },
      passed(bytes) {
        counts.up += bytes;
      },
    });
    carry(upstream, client, link.down, {
      firstAt: () => 0,
      pass: (piece) => piece,
      passed(bytes) {
        counts.down += bytes;
      },
    });
  });

  /** Two steps in order: the limits of connection and link, then the delay. */
  function carry(
    from: Socket,
    to: Socket,
    shared: Direction,
    hooks: {
      firstAt: () => number;
      pass: (piece: Buffer) => Buffer | undefined;
      passed: (bytes: number) => void;
    },
  ): void {
    const own: Direction = { freeAt: 0 };
    const limited = queue<Buffer>();
    const delayed = queue<{ piece: Buffer; at: number }>();
    let held = 0;

    const through = async (direction: Direction, bytes: number, bytesPerSecond: number) => {
      if (!Number.isFinite(bytesPerSecond)) return;
      const begin = Math.max(direction.freeAt, performance.now() - creditMilliseconds);
      direction.freeAt = begin + (bytes / bytesPerSecond) * 1000;
      await until(direction.freeAt);
    };
    const limit = async () => {
      await until(hooks.firstAt());
      for (let data = await limited.take(); data !== undefined; data = await limited.take()) {
        for (let start = 0; start < data.byteLength; start += pieceBytes) {
          const piece = data.subarray(start, start + pieceBytes);
          await through(own, piece.byteLength, faults.connectionBytesPerSecond);
          await through(shared, piece.byteLength, faults.linkBytesPerSecond);
          delayed.put({ piece, at: performance.now() + faults.delayMilliseconds });
        }
      }
      delayed.end();
    };
    const deliver = async () => {
      for (let next = await delayed.take(); next !== undefined; next = await delayed.take()) {
        await until(next.at);
        held -= next.piece.byteLength;
        if (held < windowBytes) from.resume();
        const piece = faults.silent ? undefined : hooks.pass(next.piece);
        if (piece === undefined || to.destroyed) continue;
        hooks.passed(piece.byteLength);
        if (!to.write(piece)) await drained(to);
      }
      if (!faults.silent) to.end();
    };
    from.on("data", (data: Buffer) => {
      held += data.byteLength;
      limited.put(data);
      if (held >= windowBytes) from.pause();
    });
    from.on("end", () => limited.end());
    from.on("close", () => limited.end());
    void limit();
    void deliver();
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");

  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: address.port,
    faults,
    get connections() {
      return counts.connections;
    },
    get bytesUp() {
      return counts.up;
    },
    get bytesDown() {
      return counts.down;
    },
    cut,
    close() {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function until(at: number): Promise<void> {
  const wait = at - performance.now();
  if (wait > 0) await Bun.sleep(wait);
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("drain", resolve);
    socket.once("close", () => resolve());
  });
}

interface Queue<T> {
  put(item: T): void;
  end(): void;
  /** Undefined when the queue has ended. */
  take(): Promise<T | undefined>;
}

function queue<T>(): Queue<T> {
  const items: T[] = [];
  let ended = false;
  let wake = () => {};
  return {
    put(item) {
      items.push(item);
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    async take() {
      while (items.length === 0 && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return items.shift();
    },
  };
}

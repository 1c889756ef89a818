/** One request and its whole answer, watched: neither may stand still, and the answer is bounded. */
import type { Clock } from "../runtime/clock.ts";
import { ReplicationFailure } from "./failure.ts";
import { watchdog } from "./watchdog.ts";

/** The network, as a parameter. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface HttpExchangeSettings {
  /** A request whose body does not move for so long is given up. */
  readonly stallMilliseconds: number;
  /** How long an answer may take once everything has left; the end of a large blob gets more. */
  readonly answerMilliseconds: number;
  /** The slowest line that is worth having: buffers of this machine may still hold much by then. */
  readonly slowestBytesPerSecond: number;
}

export interface HttpExchangePorts {
  /** The destination, for the texts of failures. */
  readonly name: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly settings: HttpExchangeSettings;
}

export interface HttpExchangeRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes?: Blob | undefined;
  readonly answerMilliseconds: number;
  readonly answerBytesLimit: number;
  /** `manual` hands redirects back as answers. */
  readonly redirect: "error" | "manual";
  readonly signal: AbortSignal;
  readonly onSent: (bytes: number) => void;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const atOnceBytes = 64 * 1024;
/** Buffers of runtime and kernel took 6 MB of an upload at 2 MB/s; Linux lets them grow to 10 MB. */
const bufferedBytesLimit = 16 * 1024 * 1024;

/** @throws ReplicationFailure `destination_unreachable`, `destination_stalled`, `protocol_unsupported` */
export async function httpExchange(
  { name, fetch, clock, settings }: HttpExchangePorts,
  request: HttpExchangeRequest,
): Promise<HttpAnswer> {
  const { signal } = request;
  signal.throwIfAborted();
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const stalled = () =>
    controller.abort(
      new ReplicationFailure("destination_stalled", `${name} stood still for too long`),
    );
  const sending = watchdog(clock, settings.stallMilliseconds, stalled);
  let answering = watchdogThatEnded;
  const bytes = request.bytes;
  const onEnd = () => {
    sending.end();
    const buffered = Math.min(bytes?.size ?? 0, bufferedBytesLimit);
    const leaving = (buffered / settings.slowestBytesPerSecond) * 1000;
    answering = watchdog(clock, request.answerMilliseconds + leaving, stalled);
  };
  const onSent = (count: number) => {
    sending.feed();
    request.onSent(count);
  };
  try {
    if (bytes === undefined) onEnd();
    const response = await fetch(request.url, {
      method: request.method,
      headers: request.headers,
      ...(bytes !== undefined && { body: outgoing(bytes, onEnd, onSent) }),
      redirect: request.redirect,
      signal: controller.signal,
    });
    const { status, headers } = response;
    return { status, headers, bytes: await readAll(response, request.answerBytesLimit) };
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason;
    if (error instanceof ReplicationFailure) throw error;
    throw unreachable(name, error);
  } finally {
    sending.end();
    answering.end();
    signal.removeEventListener("abort", abort);
  }
}

const watchdogThatEnded = { feed() {}, end() {} };

async function readAll(response: Response, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > limit) {
      throw new ReplicationFailure("protocol_unsupported", "the answer is too long");
    }
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** Only the system's error code goes on: messages may name hosts and ports that are not the operator's. */
function unreachable(name: string, error: unknown): ReplicationFailure {
  const { code } = error as { code?: unknown };
  const reason = typeof code === "string" ? ` (${code})` : "";
  return new ReplicationFailure("destination_unreachable", `${name}: no answer${reason}`, {
    cause: error,
  });
}

/** A body that tells how far it was read; a small one goes at once, with its length. */
function outgoing(
  bytes: Blob,
  onEnd: () => void,
  onSent: (bytes: number) => void,
): Blob | ReadableStream<Uint8Array> {
  if (bytes.size <= atOnceBytes) {
    onSent(bytes.size);
    onEnd();
    return bytes;
  }
  const reader = bytes.stream().getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) {
          onEnd();
          controller.close();
        } else {
          onSent(value.byteLength);
          controller.enqueue(value);
        }
      },
      async cancel(reason) {
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

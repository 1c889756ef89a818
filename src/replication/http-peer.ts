/** Another region over HTTP. */
import * as v from "valibot";
import type { Clock } from "../runtime/clock.ts";
import type { ChartRegion } from "./chart.ts";
import { ReplicationFailure } from "./failure.ts";
import {
  blobAnswerSchema,
  describeIssue,
  encodeOffer,
  offerAnswerSchema,
  offerMediaType,
  protocolVersion,
} from "./offer.ts";
import type { Peer } from "./peer.ts";
import { watchdog } from "./watchdog.ts";
import { failureOf } from "./wire-failure.ts";

/** The network, as a parameter. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface HttpPeerSettings {
  /** A request whose body does not move for so long is given up. */
  readonly stallMilliseconds: number;
  /** How long an answer may take once everything has left; the end of a large blob gets more. */
  readonly answerMilliseconds: number;
  /** The slowest line that is worth having: buffers of this machine may still hold much by then. */
  readonly slowestBytesPerSecond: number;
}

export interface HttpPeerOptions {
  readonly region: ChartRegion;
  /** The Authorization header for the region. */
  readonly authorization: () => Promise<string>;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly settings: HttpPeerSettings;
}

const atOnceBytes = 64 * 1024;
/** Buffers of runtime and kernel took 6 MB of an upload at 2 MB/s; Linux lets them grow to 10 MB. */
const bufferedBytesLimit = 16 * 1024 * 1024;
/** More than the longest list of missing blobs needs. */
const answerBytesLimit = 16 * 1024 * 1024;
/** A destination that has restarted must read a staged blob again, at disk speed, before it answers. */
const verificationBytesPerMillisecond = 20_000;

export function httpPeer(options: HttpPeerOptions): Peer {
  const { region, clock, settings } = options;
  const base = `${region.endpoint.replace(/\/+$/, "")}/replication/v${protocolVersion}`;

  interface Exchange {
    readonly method: string;
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly bytes: Blob;
    readonly answerMilliseconds: number;
    readonly signal: AbortSignal;
    readonly onSent: (bytes: number) => void;
  }

  async function exchange(request: Exchange): Promise<unknown> {
    const { signal } = request;
    signal.throwIfAborted();
    const controller = new AbortController();
    const abort = () => controller.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const stalled = () =>
      controller.abort(
        new ReplicationFailure("destination_stalled", `${region.name} stood still for too long`),
      );
    const sending = watchdog(clock, settings.stallMilliseconds, stalled);
    let answering = watchdogThatEnded;
    const onEnd = () => {
      sending.end();
      const buffered = Math.min(request.bytes.size, bufferedBytesLimit);
      const leaving = (buffered / settings.slowestBytesPerSecond) * 1000;
      answering = watchdog(clock, request.answerMilliseconds + leaving, stalled);
    };
    const body = outgoing(request.bytes, onEnd, (bytes) => {
      sending.feed();
      request.onSent(bytes);
    });
    try {
      const response = await options.fetch(`${base}${request.path}`, {
        method: request.method,
        headers: { ...request.headers, authorization: await options.authorization() },
        body,
        redirect: "error",
        signal: controller.signal,
      });
      const answer = await readAnswer(response);
      if (response.status !== 200) throw failureOf(response.status, answer);
      return answer;
    } catch (error) {
      if (controller.signal.aborted) throw controller.signal.reason;
      if (error instanceof ReplicationFailure) throw error;
      throw unreachable(region, error);
    } finally {
      sending.end();
      answering.end();
      signal.removeEventListener("abort", abort);
    }
  }

  return {
    async offer(offer, signal) {
      const answer = await exchange({
        method: "POST",
        path: "/offers",
        headers: { "content-type": offerMediaType },
        bytes: encodeOffer(offer),
        answerMilliseconds: settings.answerMilliseconds,
        signal,
        onSent() {},
      });
      return parseAnswer(offerAnswerSchema, answer);
    },
    async sendBlob({ digest, size, offset, bytes }, signal, onSent) {
      const last = offset + bytes.size === size;
      const answer = await exchange({
        method: "PUT",
        path: `/blobs/${digest}?offset=${offset}&size=${size}`,
        headers: { "content-type": "application/octet-stream" },
        bytes,
        answerMilliseconds:
          settings.answerMilliseconds + (last ? size / verificationBytesPerMillisecond : 0),
        signal,
        onSent,
      });
      return parseAnswer(blobAnswerSchema, answer);
    },
  };
}

const watchdogThatEnded = { feed() {}, end() {} };

function parseAnswer<S extends v.GenericSchema>(schema: S, answer: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, answer);
  if (result.success) return result.output;
  throw new ReplicationFailure(
    "protocol_unsupported",
    `the answer makes no sense: ${describeIssue(result.issues)}`,
  );
}

/** Undefined when it is not JSON: a proxy's page, for example. */
async function readAnswer(response: Response): Promise<unknown> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > answerBytesLimit) {
      throw new ReplicationFailure("protocol_unsupported", "the answer is too long");
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(await new Blob(chunks).text());
  } catch {
    return undefined;
  }
}

/** Only the system's error code goes on: messages may name hosts and ports that are not the operator's. */
function unreachable(region: ChartRegion, error: unknown): ReplicationFailure {
  const { code } = error as { code?: unknown };
  const reason = typeof code === "string" ? ` (${code})` : "";
  return new ReplicationFailure("destination_unreachable", `${region.name}: no answer${reason}`, {
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

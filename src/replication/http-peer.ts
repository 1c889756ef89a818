/** Another region over HTTP. */
import * as v from "valibot";
import type { Clock } from "../runtime/clock.ts";
import type { ChartRegion } from "./chart.ts";
import { documentsAnswerSchema, documentsMediaType, proofHeader } from "./documents/messages.ts";
import { ReplicationFailure } from "./failure.ts";
import { type Fetch, type HttpExchangeSettings, httpExchange } from "./http-exchange.ts";
import {
  blobAnswerSchema,
  describeIssue,
  encodeOffer,
  offerAnswerSchema,
  offerMediaType,
  protocolVersion,
} from "./offer.ts";
import type { Peer } from "./peer.ts";
import { verificationAnswerSchema, verificationMediaType } from "./verification/messages.ts";
import { failureOf } from "./wire-failure.ts";

export interface HttpPeerOptions {
  readonly region: ChartRegion;
  /** The Authorization header for the region. */
  readonly authorization: () => Promise<string>;
  /** It was refused. True when another one may be accepted. */
  readonly refused?: () => boolean;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly settings: HttpExchangeSettings;
}

/** More than the longest list of missing blobs needs. */
const answerBytesLimit = 16 * 1024 * 1024;
/** A destination that has restarted must read a staged blob again, at disk speed, before it answers. */
const verificationBytesPerMillisecond = 20_000;

export function httpPeer(options: HttpPeerOptions): Peer {
  const { region, fetch, clock, settings } = options;
  const ports = { name: region.name, fetch, clock, settings };
  const base = `${region.endpoint.replace(/\/+$/, "")}/replication/v${protocolVersion}`;

  interface Exchange {
    readonly method: string;
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly bytes: Blob;
    readonly answerMilliseconds: number;
    readonly signal: AbortSignal;
    readonly onSent: (bytes: number) => void;
    /** The size of the answer. */
    readonly onAnswer?: (bytes: number) => void;
  }

  async function exchange({ path, headers, onAnswer, ...rest }: Exchange): Promise<unknown> {
    const attempt = async () =>
      httpExchange(ports, {
        ...rest,
        url: `${base}${path}`,
        headers: { ...headers, authorization: await options.authorization() },
        answerBytesLimit,
        redirect: "error",
      });
    let answer = await attempt();
    if (answer.status === 401 && options.refused?.() === true) answer = await attempt();
    onAnswer?.(answer.bytes.byteLength);
    const body = parseJson(answer.bytes);
    if (answer.status !== 200) throw failureOf(answer.status, body);
    return body;
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
    async documents({ payload, proof }, signal) {
      const answer = await exchange({
        method: "POST",
        path: "/documents",
        headers: { "content-type": documentsMediaType, [proofHeader]: proof },
        bytes: new Blob([payload]),
        answerMilliseconds: settings.answerMilliseconds,
        signal,
        onSent() {},
      });
      return parseAnswer(documentsAnswerSchema, answer);
    },
    async verify(question, signal) {
      const bytes = new Blob([JSON.stringify(question)]);
      const answerBytes = { received: 0 };
      // In the deep form the destination reads blobs before it answers.
      const read =
        question.ask === "blobs" ? question.blobs.reduce((sum, { size }) => sum + size, 0) : 0;
      const answer = await exchange({
        method: "POST",
        path: "/verifications",
        headers: { "content-type": verificationMediaType },
        bytes,
        answerMilliseconds:
          2 * settings.answerMilliseconds + read / verificationBytesPerMillisecond,
        signal,
        onSent() {},
        onAnswer: (size) => {
          answerBytes.received = size;
        },
      });
      return {
        answer: parseAnswer(verificationAnswerSchema, answer),
        bytes: bytes.size + answerBytes.received,
      };
    },
  };
}

function parseAnswer<S extends v.GenericSchema>(schema: S, answer: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, answer);
  if (result.success) return result.output;
  throw new ReplicationFailure(
    "protocol_unsupported",
    `the answer makes no sense: ${describeIssue(result.issues)}`,
  );
}

/** Undefined when it is not JSON: a proxy's page, for example. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

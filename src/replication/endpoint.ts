/**
 * The destination's HTTP side, mounted at /replication/.
 *
 *     POST /replication/v1/offers                          an offer -> applied, or what is missing
 *     POST /replication/v1/verifications                   a question -> what is here
 *     POST /replication/v1/documents                       identities -> how far this region is
 *     PUT  /replication/v1/blobs/<digest>?offset=N&size=M  a part of a blob -> how much is here
 *
 * Nothing of a body is read before its sender is known.
 */
import { type Digest, parseDigest } from "../image/digest.ts";
import type { Handler } from "../runtime/request.ts";
import { documentLimits, proofHeader } from "./documents/messages.ts";
import { ReplicationFailure } from "./failure.ts";
import type { ReplicationLog } from "./log.ts";
import { decodeOffer, OfferSyntaxError, offerLimits, protocolVersion } from "./offer.ts";
import type { Receiver } from "./receiver.ts";
import { RegionTokenError, type RegionTokenVerifier } from "./region-token.ts";
import { decodeQuestion, verificationLimits } from "./verification/messages.ts";
import { failureResponse } from "./wire-failure.ts";

/** For log and metrics. */
const endpointNames: ReadonlyMap<string, string> = new Map([
  ["blobs", "replication-blob"],
  ["documents", "replication-documents"],
  ["verifications", "replication-verification"],
]);

export interface EndpointOptions {
  readonly receiver: Receiver;
  readonly tokens: RegionTokenVerifier;
  readonly log: ReplicationLog;
}

export function replicationEndpoint({ receiver, tokens, log }: EndpointOptions): Handler {
  async function answer(request: Request, source: string, path: string[], query: URLSearchParams) {
    const [version, resource, name] = path;
    if (version !== `v${protocolVersion}`) {
      const text = `this region speaks version ${protocolVersion} of the replication protocol`;
      throw new ReplicationFailure("protocol_unsupported", text);
    }
    if (resource === "offers" && path.length === 2 && request.method === "POST") {
      return receiver.offer(
        source,
        decodeOffer(await readBody(request, "offer", offerLimits.bytes)),
      );
    }
    if (resource === "verifications" && path.length === 2 && request.method === "POST") {
      const body = await readBody(request, "question", verificationLimits.questionBytes);
      return receiver.verify(source, decodeQuestion(body));
    }
    if (resource === "documents" && path.length === 2 && request.method === "POST") {
      const body = await readBody(request, "message", documentLimits.payloadBytes);
      const proof = request.headers.get(proofHeader) ?? "";
      return receiver.documents(source, { payload: new TextDecoder().decode(body), proof });
    }
    if (resource === "blobs" && path.length === 3 && request.method === "PUT") {
      return receiver.receiveBlob(source, {
        ...readPosition(name ?? "", query),
        bytes: request.body ?? nothing(),
      });
    }
    throw new ReplicationFailure("protocol_unsupported", "there is no such endpoint");
  }

  return async (request, context) => {
    const { pathname, searchParams } = new URL(request.url);
    const path = pathname.split("/").slice(2);
    context.log.endpoint = endpointNames.get(path[1] ?? "") ?? "replication-offer";
    try {
      const source = await tokens.verify(request.headers.get("authorization"));
      context.log.principal = `region/${source}`;
      return Response.json(await answer(request, source, path, searchParams));
    } catch (error) {
      if (error instanceof RegionTokenError) {
        context.log.errorCode = "destination_unauthorized";
        return failureResponse(
          new ReplicationFailure("destination_unauthorized", error.message),
          error.status,
        );
      }
      const failure = failureFor(error);
      context.log.errorCode = request.signal.aborted ? "connection_closed" : failure.code;
      // A source that is cut off in the middle is no error of ours; it will go on where it was.
      if (failure.code === "destination_error" && !request.signal.aborted) {
        log.error({ error, requestId: context.requestId }, "an incoming replication failed");
      }
      return failureResponse(failure);
    }
  };
}

function failureFor(error: unknown): ReplicationFailure {
  if (error instanceof ReplicationFailure) return error;
  if (error instanceof OfferSyntaxError) {
    return new ReplicationFailure("offer_invalid", error.message);
  }
  return new ReplicationFailure("destination_error", "unexpected error at the destination");
}

async function readBody(
  request: Request,
  what: string,
  limit: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const tooLong = () => new OfferSyntaxError(`the ${what} has more than ${limit} bytes`);
  const announced = Number(request.headers.get("content-length") ?? Number.NaN);
  if (announced > limit) throw tooLong();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > limit) throw tooLong();
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

function readPosition(
  name: string,
  query: URLSearchParams,
): { digest: Digest; offset: number; size: number } {
  const digest = parseDigest(decodeSegment(name));
  const offset = wholeNumber(query.get("offset"));
  const size = wholeNumber(query.get("size"));
  if (digest === undefined) throw new OfferSyntaxError("the path does not end in a digest");
  if (offset === undefined || size === undefined || offset > size) {
    throw new OfferSyntaxError("offset and size must be numbers of bytes");
  }
  return { digest, offset, size };
}

/** An escape that is none is left as it is, and then is no digest. */
function decodeSegment(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function wholeNumber(text: string | null): number | undefined {
  if (text === null || !/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

async function* nothing(): AsyncIterable<Uint8Array> {}

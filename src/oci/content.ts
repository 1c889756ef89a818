/** Responses with the bytes of a blob. */
import { type ByteRange, entityTag, isNotModified, requestedRanges } from "./conditional.ts";
import { ProtocolError } from "./errors.ts";

/** Content under a digest never changes; it is private, so shared caches must not keep it. */
const cacheControl = "private, max-age=31536000, immutable";

function blobHeaders(digest: string): Record<string, string> {
  return {
    "Accept-Ranges": "bytes",
    "Cache-Control": cacheControl,
    // Without it Bun announces the name of the file; and no browser should ever show a blob.
    "Content-Disposition": "attachment",
    "Content-Type": "application/octet-stream",
    "Docker-Content-Digest": digest,
    ETag: entityTag(digest),
    "X-Content-Type-Options": "nosniff",
  };
}

/** HEAD of a blob: no body, but its length. */
export function blobHeadResponse(request: Request, digest: string, size: number): Response {
  const headers = blobHeaders(digest);
  if (isNotModified(request, digest)) return new Response(null, { status: 304, headers });
  return new Response(null, { headers: { ...headers, "Content-Length": String(size) } });
}

/**
 * GET of a blob, whole or in ranges.
 * @throws ProtocolError range_unsatisfiable
 * A `Blob` that is a file goes to the socket by sendfile: no
 * byte of it passes through here.
 */
export function blobResponse(request: Request, digest: string, blob: Blob): Response {
  const headers = blobHeaders(digest);
  const size = blob.size;
  if (isNotModified(request, digest)) return new Response(null, { status: 304, headers });
  const ranges = requestedRanges(request, digest, size);
  if (ranges === "whole") {
    // Bun applies a Range header to a file by itself, and finds none in an empty one.
    return new Response(size === 0 ? new Uint8Array() : blob, {
      headers: { ...headers, "Content-Length": String(size) },
    });
  }
  if (ranges === "unsatisfiable") {
    const message = `the blob has ${size} bytes: none of the ranges is in it`;
    throw new ProtocolError("range_unsatisfiable", message, {
      "Content-Range": `bytes */${size}`,
      "Docker-Content-Digest": digest,
    });
  }
  const [first] = ranges;
  if (ranges.length === 1 && first !== undefined) {
    return new Response(blob.slice(first.start, first.end + 1), {
      status: 206,
      headers: {
        ...headers,
        "Content-Length": String(first.end - first.start + 1),
        "Content-Range": contentRange(first, size),
      },
    });
  }
  return multipartResponse(blob, ranges, headers);
}

/** A blob of which the beginning is here and the rest still comes. */
export function arrivingBlobResponse(
  digest: string,
  size: number,
  chunks: AsyncGenerator<Uint8Array>,
): Response {
  return new Response(streamOf(chunks), {
    headers: { ...blobHeaders(digest), "Accept-Ranges": "none", "Content-Length": String(size) },
  });
}

const contentRange = ({ start, end }: ByteRange, size: number) => `bytes ${start}-${end}/${size}`;

/**
 * https://www.rfc-editor.org/rfc/rfc9110#name-media-type-multipart-bytera
 * Bun sends a stream chunked and drops the Content-Length, which still tells the log how much it was.
 */
function multipartResponse(
  blob: Blob,
  ranges: readonly ByteRange[],
  headers: Record<string, string>,
): Response {
  const boundary = crypto.randomUUID();
  const encoder = new TextEncoder();
  const parts = ranges.map((range) => ({
    range,
    head: encoder.encode(
      `\r\n--${boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: ${contentRange(range, blob.size)}\r\n\r\n`,
    ),
  }));
  const tail = encoder.encode(`\r\n--${boundary}--\r\n`);
  const length = parts.reduce(
    (sum, { range, head }) => sum + head.byteLength + range.end - range.start + 1,
    tail.byteLength,
  );
  async function* body() {
    for (const { range, head } of parts) {
      yield head;
      yield* blob.slice(range.start, range.end + 1).stream();
    }
    yield tail;
  }
  return new Response(streamOf(body()), {
    status: 206,
    headers: {
      ...headers,
      "Content-Length": String(length),
      "Content-Type": `multipart/byteranges; boundary=${boundary}`,
    },
  });
}

/** Pulled by the socket's pace: nothing is read ahead of what the client takes. */
function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}

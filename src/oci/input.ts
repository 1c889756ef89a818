/** Checks what a client sent, and reads bodies within limits. */
import { type Digest, isDigestSyntax, parseDigest } from "../image/digest.ts";
import { isTag } from "../image/reference.ts";
import type { UploadChunk } from "../registry/append-upload.ts";
import { RegistryError } from "../registry/errors.ts";
import type { ManifestReferenceInput } from "../registry/find-manifest.ts";

/** @throws digest_invalid */
export function requireDigest(text: string | undefined): Digest {
  const digest = text === undefined ? undefined : parseDigest(text);
  if (digest !== undefined) return digest;
  const shown = (text ?? "").slice(0, 256);
  const reason =
    text === undefined
      ? "the digest is missing"
      : isDigestSyntax(text) && !/^sha(?:256|512):/.test(text)
        ? "the digest's algorithm is not supported: use sha256 or sha512"
        : "the digest is malformed";
  throw new RegistryError("digest_invalid", { digest: shown, reason });
}

/** What holds a colon is a digest; everything else is a tag, also `sha256-<hex>`. */
export function requireReference(text: string): ManifestReferenceInput {
  return text.includes(":") ? { digest: requireDigest(text) } : { tag: requireTag(text) };
}

/** @throws tag_invalid */
export function requireTag(text: string): string {
  if (!isTag(text)) throw new RegistryError("tag_invalid", { tag: text.slice(0, 256) });
  return text;
}

/**
 * The `n` of a page.
 * @throws parameter_invalid
 */
export function pageSize(text: string | undefined, absent: number, most: number): number {
  if (text === undefined) return absent;
  if (!/^\d{1,15}$/.test(text)) {
    throw new RegistryError("parameter_invalid", {
      parameter: "n",
      reason: "expected a number of entries, 0 or more",
    });
  }
  return Math.min(Number(text), most);
}

/**
 * A name behind which a page begins. It need not exist, but it must be text that a database takes.
 * @throws parameter_invalid
 */
export function pageStart(text: string | undefined): string {
  if (text === undefined) return "";
  if (text.length > 1024 || text.includes("\0")) {
    throw new RegistryError("parameter_invalid", { parameter: "last", reason: "malformed" });
  }
  return text;
}

/** Content-Length, when the client sent one. */
export function contentLength(request: Request): number | undefined {
  const text = request.headers.get("content-length");
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/**
 * The request's body as a chunk of an upload, streamed.
 * @throws parameter_invalid, size_invalid
 */
export function uploadChunk(request: Request): UploadChunk {
  const length = contentLength(request);
  const range = contentRange(request);
  const bytes = bodyChunks(request);
  if (range === undefined) return { bytes, ...(length !== undefined && { length }) };
  const span = range.end - range.start + 1;
  if (length !== undefined && length !== span) {
    throw new RegistryError("size_invalid", { announcedBytes: span, receivedBytes: length });
  }
  return { bytes, start: range.start, length: span };
}

/** `a-b`, both inclusive; `bytes a-b/…` is tolerated. */
function contentRange(request: Request): { start: number; end: number } | undefined {
  const text = request.headers.get("content-range");
  if (text === null) return undefined;
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d{1,15}|\*))?$/.exec(text.trim());
  const start = Number(match?.[1]);
  const end = Number(match?.[2]);
  if (match === null || end < start) {
    throw new RegistryError("parameter_invalid", {
      parameter: "Content-Range",
      reason: "expected <first byte>-<last byte>",
    });
  }
  return { start, end };
}

const nothing: AsyncIterable<Uint8Array> = (async function* () {})();

/** Nothing of the body is read before the first chunk is asked for. */
export function bodyChunks(request: Request): AsyncIterable<Uint8Array> {
  return request.body ?? nothing;
}

/**
 * A whole body, at most `limitBytes`.
 * @throws manifest_too_large
 */
export async function readBody(request: Request, limitBytes: number): Promise<Uint8Array> {
  const length = contentLength(request);
  if (length !== undefined && length > limitBytes) {
    throw new RegistryError("manifest_too_large", { limitBytes });
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bodyChunks(request)) {
    size += chunk.byteLength;
    if (size > limitBytes) throw new RegistryError("manifest_too_large", { limitBytes });
    chunks.push(chunk);
  }
  if (length !== undefined && length !== size) {
    throw new RegistryError("size_invalid", { announcedBytes: length, receivedBytes: size });
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

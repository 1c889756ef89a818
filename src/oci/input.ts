/** Checks what a client sent. */
import { type Digest, isDigestSyntax, parseDigest } from "../image/digest.ts";
import { isTag } from "../image/reference.ts";
import type { UploadChunk } from "../registry/append-upload.ts";
import { RegistryError } from "../registry/errors.ts";
import type { ManifestReferenceInput } from "../registry/find-manifest.ts";
import { releaseBytes } from "../runtime/release-bytes.ts";
import { type BodyPace, bodyChunks, contentLength } from "./body.ts";

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
 * The id of an upload session. Ours are UUIDs; whatever else comes cannot be one, and goes neither
 * to the database nor to the disk.
 * @throws upload_unknown
 */
export function requireUploadId(text: string): string {
  if (!/^[a-zA-Z0-9-]{1,64}$/.test(text)) {
    throw new RegistryError("upload_unknown", { uploadId: text.slice(0, 256) });
  }
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

/**
 * The request's body as a chunk of an upload, streamed.
 * @throws parameter_invalid, size_invalid
 */
export function uploadChunk(request: Request, pace: BodyPace): UploadChunk {
  const length = contentLength(request);
  const range = contentRange(request);
  const bytes = bodyChunks(request, pace);
  const release = releaseBytes;
  if (range === undefined) return { bytes, release, ...(length !== undefined && { length }) };
  const span = range.end - range.start + 1;
  if (length !== undefined && length !== span) {
    throw new RegistryError("size_invalid", { announcedBytes: span, receivedBytes: length });
  }
  return { bytes, release, start: range.start, length: span };
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

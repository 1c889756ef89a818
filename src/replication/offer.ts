/**
 * The messages of the replication protocol, version 1.
 *
 * An offer says everything about an image but its big bytes: the manifests of its closure, the list
 * of its blobs, the tag with its version, and small blobs inline. The destination answers that it
 * has applied it, or what it lacks. The commit is the same offer again, so every message can be
 * repeated.
 *
 * On the wire an offer is: length of the header (4 bytes, big-endian), the header in JSON, the bytes
 * of the manifests in the header's order, the bytes of the inline blobs in the header's order.
 */
import * as v from "valibot";
import { type Digest, parseDigest } from "../image/digest.ts";
import { isRepositoryName, isTag } from "../image/reference.ts";
import { parseHybridTimestamp, type Version } from "../registry/hybrid-clock.ts";
import { regionNamePattern } from "./chart.ts";
import type { ClosureBlob, ClosureManifest } from "./closure.ts";

export const protocolVersion = 1;
export const offerMediaType = "application/vnd.portolan.offer.v1";

export interface OfferedTag extends Version {
  readonly name: string;
}

export interface Offer {
  /**
   * The account that sends it. The region that speaks was authenticated, and a region vouches for
   * the accounts in it.
   */
  readonly sourceAccount: string;
  /** The account and the repository at the destination. */
  readonly account: string;
  readonly repository: string;
  /** The manifest that the replication is about: one of `manifests`. */
  readonly digest: Digest;
  readonly tag: OfferedTag | undefined;
  /** Children before those that refer to them. */
  readonly manifests: readonly ClosureManifest[];
  readonly blobs: readonly ClosureBlob[];
  /** Children of an index that the source does not have either. */
  readonly absent: readonly string[];
  /** Bytes of some of `blobs`. */
  readonly inline: ReadonlyMap<Digest, Uint8Array<ArrayBuffer>>;
}

export interface MissingBlob {
  readonly digest: Digest;
  /** Bytes that the destination holds already: where to go on. */
  readonly offset: number;
  /** Somebody is sending it at this moment. */
  readonly busy: boolean;
}

/** What became of the tag: `kept` means that the destination's own version is newer. */
export type TagOutcome =
  | "set"
  | "unchanged"
  /** What is there is newer. */
  | "kept"
  /** The repository does not let the tag be moved; the image is there without it. */
  | "immutable"
  | "none";

export type OfferAnswer =
  | { readonly outcome: "applied"; readonly tag: TagOutcome }
  | { readonly outcome: "missing"; readonly blobs: readonly MissingBlob[] };

export interface BlobPart {
  /** Where the image goes that needs it. Regions hold a blob once; other registries by repository. */
  readonly account: string;
  readonly repository: string;
  readonly digest: Digest;
  /** Of the whole blob, in bytes. */
  readonly size: number;
  readonly offset: number;
  readonly bytes: Blob;
}

/** `held` is how many bytes the destination has now; the blob is complete when that is its size. */
export type BlobAnswer =
  | { readonly outcome: "held"; readonly held: number }
  /** The part does not begin at `held`. */
  | { readonly outcome: "offset"; readonly held: number }
  | { readonly outcome: "busy" };

/** Bounds for one offer, checked on both sides. */
export const offerLimits = {
  manifests: 4096,
  manifestBytes: 48 * 1024 * 1024,
  blobs: 40_000,
  inlineBlobs: 256,
  headerBytes: 12 * 1024 * 1024,
  bytes: 65 * 1024 * 1024,
} as const;

const digest = v.pipe(
  v.string(),
  v.maxLength(135),
  v.check((text) => parseDigest(text) !== undefined, "not a digest"),
  v.transform((text) => text as Digest),
);
const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const region = v.pipe(v.string(), v.regex(regionNamePattern));

const account = v.pipe(v.string(), v.regex(/^[0-9]{12}$/));

const offerHeader = v.object({
  sourceAccount: account,
  account,
  repository: v.pipe(v.string(), v.check(isRepositoryName, "not a repository's name")),
  digest,
  tag: v.optional(
    v.object({
      name: v.pipe(v.string(), v.check(isTag, "not a tag")),
      clock: v.pipe(
        v.string(),
        v.check((text) => parseHybridTimestamp(text) !== undefined, "not a timestamp"),
      ),
      origin: region,
    }),
  ),
  manifests: v.pipe(
    v.array(
      v.object({
        digest,
        mediaType: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
        origin: region,
        size,
      }),
    ),
    v.minLength(1),
    v.maxLength(offerLimits.manifests),
  ),
  blobs: v.pipe(v.array(v.object({ digest, size })), v.maxLength(offerLimits.blobs)),
  absent: v.pipe(
    v.array(v.pipe(v.string(), v.maxLength(512))),
    v.maxLength(offerLimits.manifests * 4),
  ),
  inline: v.pipe(v.array(v.object({ digest, size })), v.maxLength(offerLimits.inlineBlobs)),
});

export function encodeOffer(offer: Offer): Blob {
  const { sourceAccount, account, repository, tag, blobs, absent } = offer;
  const header: v.InferInput<typeof offerHeader> = {
    sourceAccount,
    account,
    repository,
    digest: offer.digest,
    ...(tag === undefined ? {} : { tag: { name: tag.name, clock: tag.clock, origin: tag.origin } }),
    manifests: offer.manifests.map(({ digest, mediaType, origin, bytes }) => ({
      digest,
      mediaType,
      origin,
      size: bytes.byteLength,
    })),
    blobs: blobs.map(({ digest, size }) => ({ digest, size })),
    absent: [...absent],
    inline: [...offer.inline].map(([digest, bytes]) => ({ digest, size: bytes.byteLength })),
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, json.byteLength);
  return new Blob([
    length.buffer,
    json,
    ...offer.manifests.map((manifest) => manifest.bytes),
    ...offer.inline.values(),
  ]);
}

export class OfferSyntaxError extends Error {
  override readonly name = "OfferSyntaxError";
}

/**
 * Reads what another region sent; trusts nothing but the shape that it has checked.
 * @throws OfferSyntaxError
 */
export function decodeOffer(body: Uint8Array<ArrayBuffer>): Offer {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const headerBytes = body.byteLength < 4 ? Number.NaN : view.getUint32(0);
  if (!(headerBytes <= offerLimits.headerBytes) || 4 + headerBytes > body.byteLength) {
    throw new OfferSyntaxError("the header's length is wrong");
  }
  const header = parseHeader(body.subarray(4, 4 + headerBytes));
  let position = 4 + headerBytes;
  const take = (bytes: number) => {
    const end = position + bytes;
    if (end > body.byteLength) throw new OfferSyntaxError("the offer is cut off");
    const taken = body.subarray(position, end);
    position = end;
    return taken;
  };
  const manifests = header.manifests.map(({ size, ...manifest }) => ({
    ...manifest,
    bytes: take(size),
  }));
  const inline = new Map(header.inline.map(({ digest, size }) => [digest, take(size)] as const));
  if (position !== body.byteLength) throw new OfferSyntaxError("the offer has trailing bytes");
  return { ...header, tag: header.tag, manifests, inline };
}

function parseHeader(bytes: Uint8Array): v.InferOutput<typeof offerHeader> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new OfferSyntaxError("the header is not JSON in UTF-8");
  }
  const result = v.safeParse(offerHeader, json);
  if (!result.success) throw new OfferSyntaxError(describeIssue(result.issues));
  return result.output;
}

/** The first thing that is wrong, with its place; no value from the other side but its path. */
export function describeIssue(issues: readonly v.BaseIssue<unknown>[]): string {
  const [issue] = issues;
  if (issue === undefined) return "malformed";
  return `${v.getDotPath(issue) ?? "the document"}: ${issue.message.slice(0, 200)}`;
}

/** What a destination answers, as its source checks it. */
export const offerAnswerSchema = v.variant("outcome", [
  v.object({
    outcome: v.literal("applied"),
    tag: v.picklist(["set", "unchanged", "kept", "immutable", "none"]),
  }),
  v.object({
    outcome: v.literal("missing"),
    blobs: v.pipe(
      v.array(v.object({ digest, offset: size, busy: v.boolean() })),
      v.maxLength(offerLimits.blobs),
    ),
  }),
]);

export const blobAnswerSchema = v.variant("outcome", [
  v.object({ outcome: v.literal("held"), held: size }),
  v.object({ outcome: v.literal("offset"), held: size }),
  v.object({ outcome: v.literal("busy") }),
]);

/**
 * `POST /replication/v1/documents`: documents of the installation, from one region to another.
 *
 * The payload is JSON text, and beside it goes a proof: HMAC-SHA256 under a key that is derived from
 * the installation's, over both regions' names and the payload. So whoever has a region's key alone
 * writes no identities, and two regions with different installation keys notice at once.
 */
import { createHmac } from "node:crypto";
import * as v from "valibot";
import { equalInConstantTime } from "../../access/constant-time.ts";
import { deriveKey } from "../../access/installation-key.ts";
import { parseHybridTimestamp } from "../../registry/hybrid-clock.ts";
import type { TravellingDocument } from "../../registry/merge-document.ts";
import { regionNamePattern } from "../chart.ts";
import { ReplicationFailure } from "../failure.ts";
import { describeIssue } from "../offer.ts";

export const documentsMediaType = "application/vnd.portolan.documents.v1+json";
export const proofHeader = "x-portolan-proof";

export const documentLimits = {
  /** Documents in a message. */
  documents: 500,
  /** A message ends behind the document that reaches it. */
  batchBytes: 512 * 1024,
  valueBytes: 512 * 1024,
  payloadBytes: 4 * 1024 * 1024,
} as const;

/** What a region sends: everything that it has between two numbers of its journal. */
export interface DocumentBatch {
  /** Names the source's database, whose numbers these are. */
  readonly database: string;
  /** The numbers behind `after` and up to `upTo`. From 0 it is the beginning of all. */
  readonly after: number;
  readonly upTo: number;
  /** None in a question for where the destination is. */
  readonly documents: readonly TravellingDocument[];
}

export interface SealedBatch {
  readonly payload: string;
  readonly proof: string;
}

export interface DocumentsAnswer {
  /** The destination has everything of the source up to this number. */
  readonly held: number;
  /** How many were news. */
  readonly taken: number;
  /** Not taken now: their clocks are too far ahead. They must be sent again later. */
  readonly deferred: number;
  /** Not taken at all: of a kind or shape that the destination does not know. */
  readonly skipped: number;
}

/** Seals what one region says to another, and opens what was sealed under the same key. */
export interface DocumentSeal {
  seal(source: string, destination: string, batch: DocumentBatch): SealedBatch;
  /** @throws ReplicationFailure `installation_key_mismatch`, `offer_invalid` */
  open(source: string, destination: string, sealed: SealedBatch): DocumentBatch;
}

export function documentSeal(installationKey: Uint8Array): DocumentSeal {
  const key = deriveKey(installationKey, "documents between regions");
  const proofOf = (source: string, destination: string, payload: string) =>
    createHmac("sha256", key).update(`${source}\n${destination}\n${payload}`).digest("base64url");
  return {
    seal(source, destination, batch) {
      const payload = JSON.stringify(batch);
      return { payload, proof: proofOf(source, destination, payload) };
    },
    open(source, destination, { payload, proof }) {
      if (!equalInConstantTime(proof, proofOf(source, destination, payload))) {
        throw new ReplicationFailure(
          "installation_key_mismatch",
          `${source} and ${destination} do not have the same installation key`,
        );
      }
      return parseBatch(payload);
    },
  };
}

const sequence = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(512));
const clock = v.pipe(
  v.string(),
  v.check((text) => parseHybridTimestamp(text) !== undefined, "expected a version's clock"),
);
const batchSchema = v.pipe(
  v.object({
    database: v.pipe(v.string(), v.uuid()),
    after: sequence,
    upTo: sequence,
    documents: v.pipe(
      v.array(
        v.object({
          // Empty for what belongs to no account.
          account: v.pipe(v.string(), v.regex(/^(\d{12})?$/, "expected twelve digits")),
          kind: name,
          name,
          owner: v.pipe(v.string(), v.maxLength(512)),
          value: v.nullable(v.pipe(v.string(), v.maxLength(documentLimits.valueBytes))),
          clock,
          origin: v.pipe(v.string(), v.regex(regionNamePattern, "expected a region's name")),
        }),
      ),
      v.maxLength(documentLimits.documents),
    ),
  }),
  v.check(({ after, upTo }) => after <= upTo, "it ends before it begins"),
);

function parseBatch(payload: string): DocumentBatch {
  let json: unknown;
  try {
    json = JSON.parse(payload);
  } catch {
    throw new ReplicationFailure("offer_invalid", "the documents are not JSON");
  }
  const result = v.safeParse(batchSchema, json);
  if (result.success) return result.output;
  throw new ReplicationFailure("offer_invalid", describeIssue(result.issues));
}

export const documentsAnswerSchema = v.object({
  held: sequence,
  taken: sequence,
  deferred: sequence,
  skipped: sequence,
});

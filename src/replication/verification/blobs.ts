/** The deep form: lets the destination read through every blob that the images need there. */
import { type Digest, parseDigest } from "../../image/digest.ts";
import type { Queryable } from "../../metadata/metadata-store.ts";
import { selectRequiredBlobs } from "../../metadata/queries/verification.ts";
import type { Ask } from "./compare.ts";
import type { ExpectedImages } from "./expected-images.ts";
import type { Difference } from "./judge.ts";
import { verificationLimits } from "./messages.ts";

export interface BlobVerification {
  readonly differences: readonly Difference[];
  readonly blobs: number;
  readonly blobsBytes: number;
}

export interface VerifyBlobsOptions {
  readonly db: Queryable;
  /** At the destination. */
  readonly account: string;
  readonly expected: ExpectedImages;
  /** Repository and digest of manifests that are known to be missing there, with a space between. */
  readonly missing: ReadonlySet<string>;
  readonly ask: Ask;
  readonly signal: AbortSignal;
  readonly onProgress?: (blobs: number, bytes: number) => void;
}

interface WantedBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly repository: string;
  readonly manifest: string;
}

const pageRows = 500;
/** Read at the destination for one answer, unless a blob is larger. */
const bytesAtOnce = 256 * 1024 * 1024;

/** @throws ReplicationFailure */
export async function verifyBlobs(options: VerifyBlobsOptions): Promise<BlobVerification> {
  const { ask, account, signal } = options;
  const differences: Difference[] = [];
  let blobs = 0;
  let blobsBytes = 0;
  let batch: WantedBlob[] = [];
  let batchBytes = 0;

  async function send(): Promise<void> {
    while (batch.length > 0) {
      signal.throwIfAborted();
      const question = batch.map(({ digest, size }) => ({ digest, size }));
      const answer = await ask({ ask: "blobs", account, blobs: question });
      if (answer.ask !== "blobs") throw new Error("the answer is to another question");
      if (answer.blobs.length === 0) throw new Error("the answer leaves everything out");
      for (const [i, state] of answer.blobs.entries()) {
        const wanted = batch[i];
        if (wanted === undefined) break;
        blobs += 1;
        blobsBytes += wanted.size;
        if (state === "intact") continue;
        const { repository, manifest, digest } = wanted;
        const kind = state === "damaged" ? "blob_damaged" : "blob_missing";
        differences.push({ kind, repository, digest: manifest, blob: digest });
      }
      batch = batch.slice(answer.blobs.length);
      options.onProgress?.(blobs, blobsBytes);
    }
    batchBytes = 0;
  }

  for await (const wanted of wantedBlobs(options)) {
    const full = batch.length >= verificationLimits.blobs || batchBytes + wanted.size > bytesAtOnce;
    if (full) await send();
    batch.push(wanted);
    batchBytes += wanted.size;
  }
  await send();
  return { differences, blobs, blobsBytes };
}

/** Each once, however many repositories need it. */
async function* wantedBlobs({
  db,
  expected,
  missing,
}: VerifyBlobsOptions): AsyncGenerator<WantedBlob> {
  const seen = new Set<string>();
  for (const [repository, { id }] of expected.repositories) {
    let after = "";
    for (;;) {
      const rows = await selectRequiredBlobs(db, id, after, pageRows);
      for (const { digest: text, size, manifest } of rows) {
        const digest = parseDigest(text);
        if (digest === undefined || missing.has(`${repository} ${manifest}`)) continue;
        if (seen.has(digest)) continue;
        seen.add(digest);
        yield { digest, size, repository, manifest };
      }
      const end = rows.at(-1);
      if (end === undefined || rows.length < pageRows) break;
      after = end.digest;
    }
  }
}

/**
 * The destination's side of the protocol, without a network: what `endpoint.ts` puts behind HTTP and
 * `local-peer.ts` calls directly. The region that sends is authenticated before anything gets here.
 */

import type { ReplicationConsent } from "../access/replication-consent.ts";
import { DigestMismatchError } from "../blobs/verified.ts";
import { type Digest, digestAlgorithm } from "../image/digest.ts";
import { upsertIncomingBlob } from "../metadata/queries/incoming-blobs.ts";
import { deleteUpload } from "../metadata/queries/uploads.ts";
import type { RegistryContext } from "../registry/context.ts";
import { parseHybridTimestamp } from "../registry/hybrid-clock.ts";
import { type Application, applyOffer, checkOffer } from "./apply.ts";
import { requireCreation, requireReplication } from "./consent.ts";
import type { DocumentsAnswer, SealedBatch } from "./documents/messages.ts";
import type { ReceiveDocuments } from "./documents/receive-documents.ts";
import { ReplicationFailure } from "./failure.ts";
import { type IncomingBlobSettings, type IncomingPart, incomingBlobs } from "./incoming-blob.ts";
import type { ReplicationLog } from "./log.ts";
import type { ReplicationMetrics } from "./metrics.ts";
import type { BlobAnswer, Offer, OfferAnswer } from "./offer.ts";
import { answerVerification } from "./verification/answer.ts";
import type { VerificationAnswer, VerificationQuestion } from "./verification/messages.ts";
import type { RegistryLeaves } from "./verification/registry-leaves.ts";

export interface ReceiverSettings extends IncomingBlobSettings {
  /** A version further in the future than this would win for too long, and is refused. */
  readonly clockSkewLimitMilliseconds: number;
}

export interface Receiver {
  /** @throws ReplicationFailure */
  offer(source: string, offer: Offer): Promise<OfferAnswer>;
  /** @throws ReplicationFailure */
  receiveBlob(source: string, part: IncomingPart): Promise<BlobAnswer>;
  /** Documents of the installation. @throws ReplicationFailure */
  documents(source: string, sealed: SealedBatch): Promise<DocumentsAnswer>;
  /** What is here of that which the source has sent. @throws ReplicationFailure */
  verify(source: string, question: VerificationQuestion): Promise<VerificationAnswer>;
}

export interface ReceiverOptions {
  readonly context: RegistryContext;
  readonly leaves: RegistryLeaves;
  /** Whether an account exists here. */
  readonly knowsAccount: (account: string) => Promise<boolean>;
  /** The destination's policies. */
  readonly consent: ReplicationConsent;
  /** Absent in a region that keeps its identities for itself. */
  readonly documents?: ReceiveDocuments | undefined;
  readonly settings: ReceiverSettings;
  readonly metrics: ReplicationMetrics;
  readonly log: ReplicationLog;
}

export function receiver(options: ReceiverOptions): Receiver {
  const { context, settings, metrics, log } = options;
  const incoming = incomingBlobs(context, settings);

  return {
    async offer(source, offer) {
      // Decided before anything is looked at: a refusal tells nothing of what there is.
      await requireReplication(options, source, offer);
      const creates = await requireCreation(options, source, offer);
      checkVersion(context, source, offer, settings.clockSkewLimitMilliseconds);
      const checked = checkOffer(offer, context.settings.manifestBytesLimit);
      const published = await publishInline(context, checked.needed, offer.inline);
      const application = await applyOffer(context, source, checked, published, creates);
      if (application.outcome === "missing") {
        return { outcome: "missing", blobs: await incoming.progress(application.digests) };
      }
      metrics.offersApplied.add(1, { source, tag: application.tag });
      if (application.split) shout(source, offer, application);
      return { outcome: "applied", tag: application.tag };
    },
    async receiveBlob(source, part) {
      const limit = context.settings.blobBytesLimit;
      if (part.size > limit) {
        throw new ReplicationFailure(
          "image_invalid",
          `${part.digest} has more than ${limit} bytes`,
        );
      }
      const answer = await incoming.receive(part);
      if (answer.outcome === "held") {
        metrics.bytesReceived.add(answer.held - part.offset, { source });
      }
      return answer;
    },
    async documents(source, sealed) {
      if (options.documents === undefined) {
        throw new ReplicationFailure("protocol_unsupported", "this region takes no documents");
      }
      return options.documents(source, sealed);
    },
    async verify(source, question) {
      if (!(await options.knowsAccount(question.account))) {
        throw new ReplicationFailure("account_unknown", `there is no account ${question.account}`);
      }
      return answerVerification(context, options.leaves, source, question);
    },
  };

  function shout(source: string, offer: Offer, { tag }: Application & { outcome: "applied" }) {
    const { account, repository, digest } = offer;
    log.error(
      { source, account, repository, digest, tag: offer.tag, outcome: tag },
      "two manifests claim the same version of a tag: a region's clock was set back, or two regions share a name",
    );
  }
}

/** A region speaks for itself alone, and not from the future. */
function checkVersion(
  { clock }: RegistryContext,
  source: string,
  { tag }: Offer,
  limitMilliseconds: number,
): void {
  if (tag === undefined) return;
  if (tag.origin !== source) {
    throw new ReplicationFailure(
      "offer_invalid",
      `${source} may not set a version of ${tag.origin}`,
    );
  }
  const version = parseHybridTimestamp(tag.clock);
  if (version === undefined) throw new ReplicationFailure("offer_invalid", "malformed version");
  const ahead = version.milliseconds - clock.now();
  if (ahead > limitMilliseconds) {
    throw new ReplicationFailure(
      "clock_skew",
      `the version of the tag is ${ahead} ms ahead of the clock here, more than ${limitMilliseconds} ms`,
    );
  }
}

/**
 * Puts the blobs that came with the offer into the store, each under the digest that its bytes have.
 * Their rows and links follow in the transaction of the offer.
 */
async function publishInline(
  context: RegistryContext,
  needed: ReadonlyMap<Digest, number>,
  inline: Offer["inline"],
): Promise<Map<Digest, number>> {
  const published = new Map<Digest, number>();
  const wanted: { digest: Digest; bytes: Uint8Array; stage: string }[] = [];
  for (const [digest, bytes] of inline) {
    if (!needed.has(digest)) continue;
    const present = await context.blobs.stat(digest);
    if (present !== undefined) published.set(digest, present.size);
    else wanted.push({ digest, bytes, stage: `replication-${context.random.uuid()}` });
  }
  if (wanted.length === 0) return published;
  const now = context.clock.now();
  const open = wanted.map(({ digest, stage }) => ({
    id: stage,
    digestAlgorithm: digestAlgorithm(digest),
    now,
  }));
  await context.metadata.transaction(
    async (tx) => {
      for (const session of open) await upsertIncomingBlob(tx, session);
    },
    { durable: false },
  );
  try {
    const results = await Promise.allSettled(wanted.map((blob) => publishOne(context, blob)));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  } finally {
    await context.metadata.transaction(
      async (tx) => {
        for (const { id } of open) await deleteUpload(tx, id);
      },
      { durable: false },
    );
  }
  for (const { digest, bytes } of wanted) published.set(digest, bytes.byteLength);
  return published;
}

async function publishOne(
  context: RegistryContext,
  blob: { digest: Digest; bytes: Uint8Array; stage: string },
): Promise<void> {
  const stage = await context.blobs.stage(blob.stage, digestAlgorithm(blob.digest));
  try {
    await stage.append(once(blob.bytes));
    await stage.publish(blob.digest);
  } catch (error) {
    if (!(error instanceof DigestMismatchError)) throw error;
    throw new ReplicationFailure("digest_mismatch", error.message, { cause: error });
  } finally {
    await stage.discard();
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

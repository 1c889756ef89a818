/**
 * Another region, as this one sees it: the only way by which anything leaves. `http-peer.ts` goes
 * over the network, `local-peer.ts` stays in the process, and a simulator puts its faults around
 * either.
 */

import type { DocumentsAnswer, SealedBatch } from "./documents/messages.ts";
import type { BlobAnswer, BlobPart, Offer, OfferAnswer } from "./offer.ts";
import type { VerificationAnswer, VerificationQuestion } from "./verification/messages.ts";

export interface Peer {
  /** It asks nobody's consent, so a registry may only be sent what is its own account's. */
  readonly ownAccountOnly?: boolean;
  /** @throws ReplicationFailure */
  offer(offer: Offer, signal: AbortSignal): Promise<OfferAnswer>;
  /**
   * Sends a part of a blob, the last one when it reaches to the blob's end.
   * @param onSent told of bytes as they leave; some of them may not arrive
   * @throws ReplicationFailure
   */
  sendBlob(
    part: BlobPart,
    signal: AbortSignal,
    onSent: (bytes: number) => void,
  ): Promise<BlobAnswer>;
  /**
   * Sends documents of the installation; absent where there are none.
   * @throws ReplicationFailure
   */
  documents?(sealed: SealedBatch, signal: AbortSignal): Promise<DocumentsAnswer>;
  /**
   * Compares what is there; absent where only images can be pushed.
   * @returns the answer, and the bytes of question and answer on the wire
   * @throws ReplicationFailure
   */
  verify?(
    question: VerificationQuestion,
    signal: AbortSignal,
  ): Promise<{ answer: VerificationAnswer; bytes: number }>;
}

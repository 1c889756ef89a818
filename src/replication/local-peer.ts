/** The same region as a destination, for another account of it; and the peer of simulations. */
import type { Peer } from "./peer.ts";
import type { Receiver } from "./receiver.ts";

export function localPeer(source: string, receiver: Receiver): Peer {
  return {
    offer: (offer) => receiver.offer(source, offer),
    sendBlob({ digest, size, offset, bytes }, signal, onSent) {
      async function* stream(): AsyncIterable<Uint8Array> {
        for await (const chunk of bytes.stream()) {
          signal.throwIfAborted();
          onSent(chunk.byteLength);
          yield chunk;
        }
      }
      return receiver.receiveBlob(source, { digest, size, offset, bytes: stream() });
    },
    documents: (sealed) => receiver.documents(source, sealed),
    verify: async (question) => ({ answer: await receiver.verify(source, question), bytes: 0 }),
  };
}

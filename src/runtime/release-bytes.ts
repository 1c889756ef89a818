/**
 * Gives the memory of a received chunk back at once. A large upload makes a buffer of 100 KB every
 * 100 µs; left to the collector, hundreds of megabytes of them lie around before it looks, and every
 * new one costs fresh pages of the system. Only for bytes that nobody else can hold, such as those of
 * a request's body: afterwards they are empty.
 */
export function releaseBytes(chunk: Uint8Array): void {
  const { buffer } = chunk;
  // A view of something larger is not ours to free.
  if (!(buffer instanceof ArrayBuffer) || chunk.byteLength !== buffer.byteLength) return;
  buffer.transfer(0);
}

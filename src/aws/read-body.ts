/** Reads the body of a request, no further than its limit. */
import { AwsError, requestEntityTooLarge, requestTimeout } from "./errors.ts";

/** @throws AwsError */
export async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.byteLength;
      if (size > limit) throw requestEntityTooLarge(limit);
      chunks.push(chunk);
    }
  } catch (error) {
    // The client went away, or sent less than it announced.
    throw error instanceof AwsError ? error : requestTimeout();
  }
  return Buffer.concat(chunks);
}

/**
 * Standard Webhooks' symmetric signature: HMAC-SHA256 over `<id>.<timestamp>.<body>`.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { createHmac } from "node:crypto";
import { EventsError } from "./errors.ts";

export const signatureHeader = "webhook-signature";

const secretPrefix = "whsec_";

/** @throws EventsError invalid unless it is `whsec_` and 24 to 64 bytes in base64 */
export function checkSigningSecret(secret: string): void {
  keyOf(secret);
}

function keyOf(secret: string): Buffer {
  const encoded = secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : "";
  const key = Buffer.from(encoded, "base64");
  if (key.length < 24 || key.length > 64 || key.toString("base64") !== encoded) {
    throw new EventsError(
      "invalid",
      "ApiKeyValue of a connection that signs must be whsec_ followed by 24 to 64 bytes in base64.",
    );
  }
  return key;
}

/** @param timestamp seconds since the epoch */
export function webhookHeaders(
  secret: string,
  { id, timestamp, body }: { id: string; timestamp: number; body: string },
): Record<string, string> {
  const signature = createHmac("sha256", keyOf(secret))
    .update(`${id}.${timestamp}.${body}`)
    .digest("base64");
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    [signatureHeader]: `v1,${signature}`,
  };
}

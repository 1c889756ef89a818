/**
 * Download URLs of layers: what GetDownloadUrlForLayer gives out. Whoever has one may read that
 * layer of that repository for a while, without credentials. They are stateless: account,
 * repository, digest and end are in the path, signed under a key of their own.
 */
import { createHmac } from "node:crypto";
import * as v from "valibot";
import type { Clock } from "../runtime/clock.ts";
import { equalInConstantTime } from "./constant-time.ts";
import { deriveKey } from "./installation-key.ts";

/** In front of what `issue` gives. */
export const layerPath = "/layers/";

export interface LayerOfRepository {
  readonly account: string;
  readonly repository: string;
  readonly digest: string;
}

export interface LayerUrls {
  /** The last part of the path. */
  issue(layer: LayerOfRepository): string;
  /** Undefined when it was not issued here, or has expired. */
  verify(token: string): LayerOfRepository | undefined;
}

const oneHour = 3600_000;
/** Longer than the longest repository name and digest make it. */
const tokenLengthLimit = 2048;
const payloadSchema = v.tuple([v.string(), v.string(), v.string(), v.number()]);

export function layerUrls(options: {
  readonly installationKey: Uint8Array;
  readonly region: string;
  readonly clock: Clock;
  readonly lifetimeMilliseconds?: number;
}): LayerUrls {
  const { clock, lifetimeMilliseconds = oneHour } = options;
  const key = deriveKey(options.installationKey, `layer URLs of ${options.region}`);
  const sign = (text: string) => createHmac("sha256", key).update(text).digest("base64url");
  return {
    issue({ account, repository, digest }) {
      const end = clock.now() + lifetimeMilliseconds;
      const payload = Buffer.from(JSON.stringify([account, repository, digest, end]));
      const text = payload.toString("base64url");
      return `${text}.${sign(text)}`;
    },
    verify(token) {
      const [text, signature, rest] = token.length > tokenLengthLimit ? [] : token.split(".", 3);
      if (text === undefined || signature === undefined || rest !== undefined) return undefined;
      if (!equalInConstantTime(signature, sign(text))) return undefined;
      const json: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
      const [account, repository, digest, end] = v.parse(payloadSchema, json);
      return clock.now() < end ? { account, repository, digest } : undefined;
    },
  };
}

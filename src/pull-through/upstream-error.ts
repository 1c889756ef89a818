/** What an upstream registry can do to a pull. */
import { RegistryError } from "../registry/errors.ts";

export type UpstreamFailure = "unknown" | "denied" | "rate_limited" | "unavailable" | "invalid";

export class UpstreamError extends Error {
  override readonly name = "UpstreamError";
  readonly failure: UpstreamFailure;
  /** Seconds, when the upstream said how long to wait. */
  readonly retryAfterSeconds: number | undefined;
  /** @param text for people: never a secret, never a whole URL */
  constructor(
    failure: UpstreamFailure,
    text: string,
    options: { cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(text, { cause: options.cause });
    this.failure = failure;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** As the registry's error, when there is nothing here to answer with instead. */
export function asRegistryError(error: unknown, upstream: string): unknown {
  if (!(error instanceof UpstreamError)) return error;
  const { failure, message: reason, retryAfterSeconds } = error;
  if (failure === "rate_limited") {
    return new RegistryError(
      "upstream_rate_limited",
      { upstream, retryAfterSeconds },
      { cause: error },
    );
  }
  if (failure === "denied") {
    return new RegistryError("upstream_denied", { upstream, reason }, { cause: error });
  }
  return new RegistryError("upstream_unavailable", { upstream, reason }, { cause: error });
}

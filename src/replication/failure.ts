/**
 * Everything that can keep an image from its destination. The codes are public: operators see them
 * in the status, and docs/reference lists them.
 */

export type FailureSide = "source" | "destination";

interface FailureKind {
  /** Where to look for the cause. */
  readonly side: FailureSide;
  /** No retry can cure it: the row ends as failed until an operator or a new push revives it. */
  readonly terminal: boolean;
  /** It says that the whole destination is out of reach, so that others need not try now. */
  readonly opensCircuit: boolean;
  /**
   * The destination does not want it as things are. It is asked again for as long as it takes, and
   * meanwhile the status says that it has failed.
   */
  readonly refusal: boolean;
  readonly meaning: string;
}

const retryable = { terminal: false, opensCircuit: false, refusal: false } as const;
const terminal = { terminal: true, opensCircuit: false, refusal: false } as const;
const outage = { terminal: false, opensCircuit: true, refusal: false } as const;
const refusal = { terminal: false, opensCircuit: false, refusal: true } as const;

export const failureCodes = {
  image_deleted: {
    side: "source",
    ...terminal,
    meaning: "The manifest was deleted at the source before it was replicated.",
  },
  image_archived: {
    side: "source",
    ...terminal,
    meaning:
      "The image was archived at the source before it was replicated; its restore replicates it.",
  },
  closure_too_large: {
    side: "source",
    ...terminal,
    meaning: "The image has more manifests or blobs than one replication may carry.",
  },
  blob_unavailable: {
    side: "source",
    ...retryable,
    meaning:
      "A blob of the image is missing or damaged at the source; pushing it again mends that.",
  },
  region_unknown: {
    side: "source",
    ...retryable,
    meaning: "The chart of the source does not have the destination's region.",
  },
  source_error: {
    side: "source",
    ...retryable,
    meaning: "The source failed unexpectedly; its log has the cause.",
  },
  destination_unreachable: {
    side: "destination",
    ...outage,
    meaning: "The destination did not answer, or the connection broke.",
  },
  destination_stalled: {
    side: "destination",
    ...outage,
    meaning: "The connection stood still for too long.",
  },
  destination_unauthorized: {
    side: "destination",
    ...outage,
    meaning:
      "The destination refused the source's token: keys in the charts differ, or clocks are apart. Of another registry: it refused the credentials.",
  },
  rate_limited: {
    side: "destination",
    ...outage,
    meaning: "The registry asks for fewer requests; nothing is sent until the time that it named.",
  },
  repository_denied: {
    side: "destination",
    ...retryable,
    meaning: "The registry does not let the configured credentials push to the repository.",
  },
  repository_unknown: {
    side: "destination",
    ...retryable,
    meaning: "The registry has no such repository and does not create it on push.",
  },
  protocol_unsupported: {
    side: "destination",
    ...outage,
    meaning:
      "The destination does not speak this version of the replication protocol, or what answers is no registry.",
  },
  destination_error: {
    side: "destination",
    ...retryable,
    meaning: "The destination failed unexpectedly; its log has the cause.",
  },
  account_unknown: {
    side: "destination",
    ...refusal,
    meaning: "The destination does not have the account, or not yet.",
  },
  destination_forbidden: {
    side: "destination",
    ...refusal,
    meaning:
      "The registry policy of the destination does not allow the source's account `ecr:ReplicateImage` on the repository.",
  },
  repository_creation_forbidden: {
    side: "destination",
    ...refusal,
    meaning:
      "The destination does not have the repository, and its registry policy does not allow the source's account `ecr:CreateRepository`.",
  },
  creation_template_failed: {
    side: "destination",
    ...refusal,
    meaning:
      "The destination's creation template sets resource tags, and its registry policy does not allow the source's account `ecr:TagResource`.",
  },
  image_invalid: {
    side: "destination",
    ...terminal,
    meaning:
      "The destination does not accept the image: a manifest is too large or not valid there.",
  },
  tag_immutable: {
    side: "destination",
    ...terminal,
    meaning:
      "The image is at the destination, without its tag: the tag points at another image there, and the repository's tag mutability does not let it be moved.",
  },
  offer_invalid: {
    side: "destination",
    ...retryable,
    meaning:
      "The destination could not make sense of the offer: it was damaged on the way, or versions differ.",
  },
  clock_skew: {
    side: "destination",
    ...retryable,
    meaning: "The source's clock is further ahead than the destination accepts.",
  },
  digest_mismatch: {
    side: "destination",
    ...retryable,
    meaning: "The bytes that arrived do not have the digest they should; nothing was stored.",
  },
  installation_key_mismatch: {
    side: "destination",
    ...retryable,
    meaning:
      "The two regions do not have the same installation key, so that neither takes identities from the other. Images are not concerned.",
  },
  blob_busy: {
    side: "destination",
    ...retryable,
    meaning: "Another transfer has been sending the same blob for long without progress.",
  },
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof failureCodes;

/** @param code of a row, null for none */
export function isRefusalCode(code: string | null | undefined): boolean {
  return typeof code === "string" && isFailureCode(code) && failureCodes[code].refusal;
}

/** The codes of refusals. */
export const refusalCodes = (Object.keys(failureCodes) as FailureCode[]).filter(
  (code) => failureCodes[code].refusal,
);

export function isFailureCode(text: string): text is FailureCode {
  return Object.hasOwn(failureCodes, text);
}

export class ReplicationFailure extends Error {
  override readonly name = "ReplicationFailure";
  readonly code: FailureCode;
  /** @param text for the operator: what exactly, with digests and figures, never a secret */
  constructor(code: FailureCode, text: string, options?: { cause?: unknown }) {
    super(text, options);
    this.code = code;
  }
  get kind(): FailureKind {
    return failureCodes[this.code];
  }
}

/** What was thrown at the source, as a failure; the cause of an unexpected one is for the log. */
export function asFailure(error: unknown): ReplicationFailure {
  if (error instanceof ReplicationFailure) return error;
  return new ReplicationFailure("source_error", "unexpected error at the source", { cause: error });
}

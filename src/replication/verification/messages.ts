/**
 * The messages by which a region compares itself with a destination: read-only but for the deep
 * form, in which the destination scrubs blobs. Part of version 1 of the replication protocol; a
 * destination that does not know them answers `protocol_unsupported`.
 */
import * as v from "valibot";
import { type Digest, parseDigest } from "../../image/digest.ts";
import { isRepositoryName, isTag } from "../../image/reference.ts";
import { parseHybridTimestamp } from "../../registry/hybrid-clock.ts";
import { regionNamePattern } from "../chart.ts";
import { describeIssue, OfferSyntaxError } from "../offer.ts";
import { listedLeavesLimit } from "./digest-tree.ts";

export const verificationMediaType = "application/vnd.portolan.verification.v1+json";

/** Bounds of one message, checked on both sides. */
export const verificationLimits = {
  questionBytes: 1024 * 1024,
  nodes: 64,
  states: 500,
  blobs: 64,
} as const;

const account = v.pipe(v.string(), v.regex(/^[0-9]{12}$/));
const repository = v.pipe(v.string(), v.check(isRepositoryName, "not a repository's name"));
const tag = v.pipe(v.string(), v.check(isTag, "not a tag"));
const digest = v.pipe(
  v.string(),
  v.maxLength(135),
  v.check((text) => parseDigest(text) !== undefined, "not a digest"),
  v.transform((text) => text as Digest),
);
const hash = v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{32})?$/));
const prefix = v.pipe(v.string(), v.regex(/^[0-9a-f]{0,60}$/));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const nodeAddress = v.object({
  /** Of the repositories of the account, or of one repository. */
  of: v.picklist(["repositories", "tags", "manifests"]),
  repository: v.optional(repository),
  prefix,
  /** What the source has there. */
  hash,
});

const questionSchema = v.variant("ask", [
  v.object({
    ask: v.literal("nodes"),
    account,
    nodes: v.pipe(v.array(nodeAddress), v.minLength(1), v.maxLength(verificationLimits.nodes)),
  }),
  v.object({
    ask: v.literal("states"),
    account,
    states: v.pipe(
      v.array(
        v.object({
          repository,
          tags: v.pipe(v.array(tag), v.maxLength(verificationLimits.states)),
          manifests: v.pipe(v.array(digest), v.maxLength(verificationLimits.states)),
        }),
      ),
      v.minLength(1),
      v.maxLength(verificationLimits.states),
      v.check(
        (states) =>
          states.reduce((sum, { tags, manifests }) => sum + tags.length + manifests.length, 0) <=
          verificationLimits.states,
        "too many states",
      ),
    ),
  }),
  v.object({
    ask: v.literal("blobs"),
    account,
    blobs: v.pipe(
      v.array(v.object({ digest, size: count })),
      v.minLength(1),
      v.maxLength(verificationLimits.blobs),
    ),
  }),
]);

const summary = v.object({ count, hash });
const leaf = v.pipe(
  v.array(v.pipe(v.string(), v.maxLength(256))),
  v.minLength(1),
  v.maxLength(5),
  v.transform((parts) => parts as unknown as readonly [string, ...string[]]),
);

const tagState = v.object({
  name: tag,
  kind: v.picklist(["tag", "tombstone"]),
  digest: v.pipe(v.string(), v.maxLength(135)),
  clock: v.pipe(
    v.string(),
    v.check((text) => parseHybridTimestamp(text) !== undefined, "not a timestamp"),
  ),
  origin: v.pipe(v.string(), v.regex(regionNamePattern)),
});

export const verificationAnswerSchema = v.variant("ask", [
  v.object({
    ask: v.literal("nodes"),
    /** In the order of the question. */
    nodes: v.pipe(
      v.array(
        v.variant("is", [
          /** The hashes are equal. */
          v.object({ is: v.literal("same") }),
          v.object({
            is: v.literal("divided"),
            children: v.pipe(
              v.record(v.pipe(v.string(), v.regex(/^[0-9a-f]$/)), summary),
              v.check((children) => Object.keys(children).length <= 16, "too many children"),
            ),
          }),
          v.object({
            is: v.literal("listed"),
            leaves: v.pipe(v.array(leaf), v.maxLength(listedLeavesLimit)),
          }),
        ]),
      ),
      v.maxLength(verificationLimits.nodes),
    ),
  }),
  v.object({
    ask: v.literal("states"),
    states: v.pipe(
      v.array(
        v.object({
          /** Tags that are there, and tombstones of those that were. */
          tags: v.pipe(v.array(tagState), v.maxLength(2 * verificationLimits.states)),
          /** Those that are there. */
          manifests: v.pipe(v.array(digest), v.maxLength(verificationLimits.states)),
        }),
      ),
      v.maxLength(verificationLimits.states),
    ),
  }),
  v.object({
    ask: v.literal("blobs"),
    /** In the order of the question; fewer when the time of the answer was used up. */
    blobs: v.pipe(
      v.array(v.picklist(["intact", "missing", "damaged"])),
      v.maxLength(verificationLimits.blobs),
    ),
  }),
]);

export type NodeQuestion = v.InferOutput<typeof nodeAddress>;
export type VerificationQuestion = v.InferOutput<typeof questionSchema>;
export type VerificationAnswer = v.InferOutput<typeof verificationAnswerSchema>;
export type AnswerTo<Ask extends VerificationQuestion["ask"]> = Extract<
  VerificationAnswer,
  { ask: Ask }
>;
export type NodeAnswer = AnswerTo<"nodes">["nodes"][number];
export type TagStateThere = v.InferOutput<typeof tagState>;

/**
 * Reads what another region asks.
 * @throws OfferSyntaxError
 */
export function decodeQuestion(body: Uint8Array): VerificationQuestion {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new OfferSyntaxError("the question is not JSON in UTF-8");
  }
  const result = v.safeParse(questionSchema, json);
  if (!result.success) throw new OfferSyntaxError(describeIssue(result.issues));
  return result.output;
}

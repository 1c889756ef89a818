/**
 * An event in EventBridge's envelope.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
 */
import { createHash } from "node:crypto";
import type { ChangeRow } from "../metadata/queries/changes.ts";

export interface EventEnvelope {
  readonly version: "0";
  readonly id: string;
  readonly "detail-type": DetailType;
  readonly source: EventSource;
  readonly account: string;
  /** `2026-12-01T12:00:00Z` */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

export type EventSource = "aws.ecr" | "portolan";

export type DetailType =
  | "ECR Image Action"
  | "ECR Referrer Action"
  | "ECR Replication Action"
  | "ECR Pull Through Cache Action"
  | "AWS API Call via CloudTrail"
  | "AWS Service Event via CloudTrail"
  | "Portolan Alarm State Change";

/**
 * The same for the same change, however often it is delivered, so that a receiver can tell what it
 * has seen. Made over the whole row, because a number of the journal may be given again after a
 * power cut (docs/internals/decisions/0003-journal-order.md).
 */
export function eventId(region: string, change: ChangeRow, part: number): string {
  const { sequence, at, kind, account, repository, digest, tag, clock, actor, detail } = change;
  const facts = [
    region,
    sequence,
    at,
    kind,
    account,
    repository,
    digest,
    tag,
    clock,
    actor,
    detail,
  ];
  const hash = createHash("sha256")
    .update(JSON.stringify([...facts, part]))
    .digest("hex");
  // Version 8 of RFC 9562: bits of our own making.
  const variant = ((Number.parseInt(hash[16] ?? "0", 16) & 3) | 8).toString(16);
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `${variant}${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join("-");
}

/** EventBridge's times have whole seconds. */
export function eventTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, "Z");
}

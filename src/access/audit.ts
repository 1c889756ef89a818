/** What the audit is told: every call that was decided, allowed or denied. Never a secret. */
import type { Decision, Permission, Principal, RequestFacts } from "./access.ts";

/** A decided call as it is read back. */
export interface AuditRecord {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly requestId: string;
  readonly sourceAddress: string;
  readonly userAgent: string | null;
  /** ARN of who asked, as denials name it. */
  readonly principal: string;
  /** The account of the principal. */
  readonly account: string;
  readonly accessKeyId: string | null;
  readonly decision: "allowed" | "denied";
  readonly action: string;
  readonly resource: string;
  /** AWS's words for a refusal. */
  readonly reason: string | null;
}

/** What was decided for whom: the part of a record that is the same in many requests. */
export interface AuditSubject {
  /** ARN. */
  readonly principal: string;
  readonly isDenied: boolean;
  /** Nothing was changed by it that an audit would have to explain. */
  readonly isRead: boolean;
  /** JSON: the last members of the record's line, see `audit-block.ts`. */
  readonly text: string;
}

export interface Audit {
  /**
   * Takes what was decided for one request; nothing is ever dropped. A promise must be awaited
   * before the call goes on: it resolves when the records would survive the death of the process,
   * or when there is room again.
   */
  record(request: RequestFacts, subjects: readonly AuditSubject[]): Promise<void> | undefined;
}

/** For what needs no audit, such as a test of something else. */
export const noAudit: Audit = { record: () => undefined };

/** What a client chose is cut: it must not be able to fill the disk with one request. */
const textLengthLimit = 512;

export function auditText(value: string | null): string {
  if (value === null) return "null";
  return JSON.stringify(value.length > textLengthLimit ? value.slice(0, textLengthLimit) : value);
}

export function auditSubject(
  { arn, account, accessKeyId }: Principal,
  { action, resource }: Permission,
  { allowed, message }: Decision,
): AuditSubject {
  const texts = [
    arn,
    account,
    accessKeyId ?? null,
    allowed ? "allowed" : "denied",
    action,
    resource,
    allowed ? null : message,
  ];
  return {
    principal: arn,
    isDenied: !allowed,
    isRead: isRead(action),
    text: texts.map(auditText).join(),
  };
}

const readPattern =
  /:(?:BatchGet|BatchCheck|Describe|Get|List|Validate|Simulate|Generate)[A-Za-z]*$/;

/** Whether an action only reads. What gives out credentials of another principal does not. */
export function isRead(action: string): boolean {
  return readPattern.test(action);
}

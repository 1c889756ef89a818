/** What the audit is told: every call that was decided, allowed or denied. Never a secret. */

export interface AuditRecord {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** ARN of who asked, as denials name it. */
  readonly principal: string;
  /** The account of the principal. */
  readonly account: string;
  readonly accessKeyId: string | null;
  readonly action: string;
  readonly resource: string;
  readonly decision: "allowed" | "denied";
  /** AWS's words for a refusal. */
  readonly reason: string | null;
  readonly requestId: string;
  readonly sourceAddress: string;
  readonly userAgent: string | null;
}

export interface Audit {
  /**
   * Takes records; nothing is ever dropped. A promise must be awaited before the call goes on: it
   * resolves when the records would survive the death of the process, or when there is room again.
   */
  record(records: readonly AuditRecord[]): Promise<void> | undefined;
}

/** For what needs no audit, such as a test of something else. */
export const noAudit: Audit = { record: () => undefined };

/** Calls that read change nothing that an audit would have to explain. */
const readPattern =
  /:(?:BatchGet|BatchCheck|Describe|Get|List|Validate|Simulate|Generate)[A-Za-z]*$/;

/** Whether an action only reads. What gives out credentials of another principal does not. */
export function isRead(action: string): boolean {
  return readPattern.test(action);
}

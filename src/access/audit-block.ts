/**
 * A block of the audit: some calls as JSON lines, compressed when there are many. A call is an
 * array of the members of `AuditRecord` in their order.
 */
import * as v from "valibot";
import type { AuditBlockRow } from "../metadata/queries/audit.ts";
import type { RequestFacts } from "./access.ts";
import { type AuditRecord, type AuditSubject, auditText } from "./audit.ts";

/** Shorter ones stay as they are, readable in the database. */
const compressedFromBytes = 2048;

const lineSchema = v.tuple([
  v.number(),
  v.string(),
  v.string(),
  v.nullable(v.string()),
  v.string(),
  v.string(),
  v.nullable(v.string()),
  v.picklist(["allowed", "denied"]),
  v.string(),
  v.string(),
  v.nullable(v.string()),
]);

/** Clients are few kinds, and their names are long. */
const userAgentTexts = new Map<string | null, string>();
const userAgentsLimit = 1000;

function userAgentText(userAgent: string | null): string {
  let text = userAgentTexts.get(userAgent);
  if (text === undefined) {
    if (userAgentTexts.size >= userAgentsLimit) userAgentTexts.clear();
    text = auditText(userAgent);
    userAgentTexts.set(userAgent, text);
  }
  return text;
}

/** One line, without its line break. */
export function auditLine(request: RequestFacts, { text }: AuditSubject): string {
  return `[${request.time},${auditText(request.requestId)},"${request.sourceAddress}",${userAgentText(request.userAgent)},${text}]`;
}

export interface AuditBlockContent {
  readonly lines: readonly string[];
  readonly firstAt: number;
  readonly lastAt: number;
  readonly denied: number;
  readonly principals: ReadonlySet<string>;
}

export async function auditBlock(content: AuditBlockContent, id: string): Promise<AuditBlockRow> {
  const json = Buffer.from(content.lines.join("\n"), "utf8");
  const isLong = json.byteLength >= compressedFromBytes;
  return {
    last_at: content.lastAt,
    id,
    first_at: content.firstAt,
    calls: content.lines.length,
    denied: content.denied,
    principals: `\n${[...content.principals].join("\n")}\n`,
    encoding: isLong ? "zstd" : "json",
    lines: isLong ? await Bun.zstdCompress(json, { level: 1 }) : json,
  };
}

export function parseAuditLine(line: string): AuditRecord {
  const [
    time,
    requestId,
    sourceAddress,
    userAgent,
    principal,
    account,
    accessKeyId,
    decision,
    action,
    resource,
    reason,
  ] = v.parse(lineSchema, JSON.parse(line));
  return {
    time,
    requestId,
    sourceAddress,
    userAgent,
    principal,
    account,
    accessKeyId,
    decision,
    action,
    resource,
    reason,
  };
}

/** In the order in which they were decided. */
export async function auditRecords(
  row: Pick<AuditBlockRow, "encoding" | "lines">,
): Promise<AuditRecord[]> {
  const json = row.encoding === "zstd" ? await Bun.zstdDecompress(row.lines) : row.lines;
  return Buffer.from(json).toString("utf8").split("\n").map(parseAuditLine);
}

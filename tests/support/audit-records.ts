/** The audit in tests: what was recorded, and records to be recorded. */
import type { Decision } from "../../src/access/access.ts";
import { type Audit, type AuditRecord, auditSubject } from "../../src/access/audit.ts";
import { auditLine, parseAuditLine } from "../../src/access/audit-block.ts";
import { rootPrincipal } from "../../src/access/credentials.ts";
import { facts } from "./access-request.ts";

/** Appends what is recorded. */
export function auditInto(records: AuditRecord[]): Audit {
  return {
    record(request, subjects) {
      for (const subject of subjects) records.push(parseAuditLine(auditLine(request, subject)));
      return undefined;
    },
  };
}

/** The arguments of `Audit.record` that make these records; the first says what the request was. */
export function recording(records: readonly AuditRecord[]): Parameters<Audit["record"]> {
  const [first] = records;
  return [
    facts({
      time: first?.time ?? 0,
      requestId: first?.requestId ?? "",
      sourceAddress: first?.sourceAddress ?? "",
      userAgent: first?.userAgent ?? null,
    }),
    records.map(({ principal, account, accessKeyId, action, resource, decision, reason }) => {
      const decided: Decision = { allowed: decision === "allowed", message: reason ?? "" };
      const who = {
        ...rootPrincipal(account),
        arn: principal,
        ...(accessKeyId !== null && { accessKeyId }),
      };
      return auditSubject(who, { action, resource }, decided);
    }),
  ];
}

/** Failures of the destination as HTTP answers, and answers as failures. */
import * as v from "valibot";
import { type FailureCode, failureCodes, isFailureCode, ReplicationFailure } from "./failure.ts";

/** Statuses are for people and proxies; the code in the body is what the source acts on. */
const statuses: Partial<Record<FailureCode, number>> = {
  destination_unauthorized: 401,
  protocol_unsupported: 400,
  account_unknown: 404,
  destination_forbidden: 403,
  repository_creation_forbidden: 403,
  creation_template_failed: 403,
  image_invalid: 422,
  offer_invalid: 400,
  clock_skew: 409,
  digest_mismatch: 422,
  installation_key_mismatch: 409,
  destination_stalled: 408,
  destination_error: 500,
};

export function failureResponse(failure: ReplicationFailure, status?: number): Response {
  const body = { code: failure.code, text: failure.message };
  return Response.json(body, { status: status ?? statuses[failure.code] ?? 500 });
}

const failureBody = v.object({ code: v.string(), text: v.string() });

/**
 * What a status other than 200 means. A destination can only report failures of its own side; from
 * anything that is not Portolan only the status counts.
 */
export function failureOf(status: number, body: unknown): ReplicationFailure {
  const parsed = v.safeParse(failureBody, body);
  if (parsed.success) {
    const { code, text } = parsed.output;
    if (isFailureCode(code) && failureCodes[code].side === "destination") {
      return new ReplicationFailure(code, text.slice(0, 1000));
    }
  }
  return new ReplicationFailure(codeOfStatus(status), `the destination answered ${status}`);
}

function codeOfStatus(status: number): FailureCode {
  if (status === 401 || status === 403) return "destination_unauthorized";
  if (status === 400 || status === 404 || status === 405) return "protocol_unsupported";
  if (status === 429 || (status >= 502 && status <= 504)) return "destination_unreachable";
  return "destination_error";
}

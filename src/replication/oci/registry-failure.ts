/** What a registry refuses, as failures of replication. */
import * as v from "valibot";
import { type FailureCode, ReplicationFailure } from "../failure.ts";
import type { HttpAnswer } from "../http-exchange.ts";

const errorBody = v.object({
  errors: v.pipe(
    v.array(v.object({ code: v.string(), message: v.optional(v.string()) })),
    v.minLength(1),
  ),
});

/**
 * The code of the first error in a registry's answer; empty when it has none.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
 */
export function errorOf({ bytes }: HttpAnswer): { code: string; message: string } {
  const parsed = v.safeParse(errorBody, parseJson(bytes));
  const [error] = parsed.success ? parsed.output.errors : [];
  return { code: error?.code ?? "", message: error?.message ?? "" };
}

export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** @param what was tried: `blob sha256:…`; never a URL, which may carry signatures */
export function registryFailure(
  name: string,
  what: string,
  answer: HttpAnswer,
  fallback: FailureCode = "destination_error",
): ReplicationFailure {
  const { code, message } = errorOf(answer);
  const reason = [code, message].filter(Boolean).join(": ");
  const shown = printable(reason).slice(0, 300);
  return new ReplicationFailure(
    codeOfAnswer(answer.status, code) ?? fallback,
    `${name} answered ${answer.status} to ${what}${shown === "" ? "" : ` (${shown})`}`,
  );
}

function codeOfAnswer(status: number, code: string): FailureCode | undefined {
  if (status === 401) return "destination_unauthorized";
  if (status === 403) return "repository_denied";
  if (status === 429 || code === "TOOMANYREQUESTS") return "rate_limited";
  if (status === 408 || (status >= 502 && status <= 504)) return "destination_unreachable";
  if (status >= 500) return "destination_error";
  if (status === 404 && code === "NAME_UNKNOWN") return "repository_unknown";
  return undefined;
}

/** It comes from another machine, and goes into a database, a log and a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, " ");
}

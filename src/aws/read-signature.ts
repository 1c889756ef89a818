/**
 * Reads what a request says about its signature: from the Authorization header, or from the query
 * of a presigned URL. Every part is the client's word; sigv4.ts judges it.
 */
import { createHash } from "node:crypto";
import { MAX_PRESIGNED_TTL } from "@smithy/signature-v4";
import { formatBasicDate, parseBasicDate, parseHttpDate } from "./basic-date.ts";
import { incompleteSignature, invalidSignature, missingAuthenticationToken } from "./errors.ts";

export interface Signature {
  readonly algorithm: string;
  readonly credential: string;
  /** Lower case. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly date: { readonly basic: string; readonly milliseconds: number };
  /** Of a presigned URL. */
  readonly expiresSeconds?: number;
  readonly sessionToken?: string | undefined;
}

export type Query = ReadonlyMap<string, readonly string[]>;

/** @throws AwsError */
export function readSignature(request: Request, query: Query): Signature {
  const header = request.headers.get("authorization")?.trim();
  if (query.has("X-Amz-Algorithm")) {
    if (header !== undefined) {
      throw invalidSignature(
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
      );
    }
    return readPresigned(query);
  }
  if (header === undefined || !header.startsWith("AWS4-")) throw missingAuthenticationToken();
  return readHeader(header, request.headers);
}

function readHeader(header: string, headers: Headers): Signature {
  const [algorithm = "", ...parts] = header.split(/[,\s]+/).filter((part) => part !== "");
  const values = new Map<string, string>();
  for (const part of parts) {
    const equals = part.indexOf("=");
    if (equals < 1) {
      throw incompleteSignature(
        `Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '${hashed(header)}'.`,
      );
    }
    const name = part.slice(0, equals);
    if (values.has(name)) {
      throw incompleteSignature(
        "Authorization header must have each parameter once, and there must be one Authorization header.",
      );
    }
    values.set(name, part.slice(equals + 1));
  }
  const missing = ["Credential", "Signature", "SignedHeaders"]
    .filter((name) => !values.get(name))
    .map((name) => `Authorization header requires '${name}' parameter.`);
  const sent = headers.get("x-amz-date") ?? headers.get("date");
  if (sent === null) {
    missing.push(
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
    );
  }
  if (missing.length > 0 || sent === null) {
    throw incompleteSignature(
      `${missing.join(" ")} (Hashed with SHA-256 and encoded with Base64) Authorization=${hashed(header)}`,
    );
  }
  return {
    algorithm,
    credential: values.get("Credential") ?? "",
    signedHeaders: (values.get("SignedHeaders") ?? "").toLowerCase().split(";"),
    signature: values.get("Signature") ?? "",
    date: readDate(sent, headers.has("x-amz-date")),
    sessionToken: headers.get("x-amz-security-token") ?? undefined,
  };
}

function readPresigned(query: Query): Signature {
  const value = (name: string) => query.get(name)?.[0] ?? "";
  const missing = ["Algorithm", "Credential", "Signature", "SignedHeaders", "Date", "Expires"]
    .map((name) => `X-Amz-${name}`)
    .filter((name) => value(name) === "" || query.get(name)?.length !== 1)
    .map((name) => `AWS query-string parameters must include '${name}'.`);
  if (missing.length > 0) {
    throw incompleteSignature(`${missing.join(" ")} Re-examine the query-string parameters.`);
  }
  const expires = value("X-Amz-Expires");
  const expiresSeconds = /^[0-9]{1,9}$/.test(expires) ? Number(expires) : 0;
  if (expiresSeconds < 1 || expiresSeconds > MAX_PRESIGNED_TTL) {
    throw incompleteSignature(
      `X-Amz-Expires must be a number of seconds between 1 and ${MAX_PRESIGNED_TTL}.`,
    );
  }
  return {
    algorithm: value("X-Amz-Algorithm"),
    credential: value("X-Amz-Credential"),
    signedHeaders: value("X-Amz-SignedHeaders").toLowerCase().split(";"),
    signature: value("X-Amz-Signature"),
    date: readDate(value("X-Amz-Date"), true),
    expiresSeconds,
    sessionToken: query.get("X-Amz-Security-Token")?.[0],
  };
}

function readDate(text: string, basicOnly: boolean): Signature["date"] {
  const milliseconds = parseBasicDate(text) ?? (basicOnly ? undefined : parseHttpDate(text));
  if (milliseconds === undefined) {
    throw incompleteSignature(
      `Date must be in ISO-8601 'basic format'. Got '${text.slice(0, 64)}'. See http://en.wikipedia.org/wiki/ISO_8601`,
    );
  }
  return { basic: formatBasicDate(milliseconds), milliseconds };
}

export function queryOf(request: Request): Query {
  const start = request.url.indexOf("?");
  const query = new Map<string, string[]>();
  if (start === -1) return query;
  for (const [name, value] of new URLSearchParams(request.url.slice(start + 1))) {
    const values = query.get(name);
    if (values === undefined) query.set(name, [value]);
    else values.push(value);
  }
  return query;
}

function hashed(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

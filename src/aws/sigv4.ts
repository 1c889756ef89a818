/**
 * Verifies AWS Signature Version 4: the Authorization header, or the query of a presigned URL.
 * The signature is calculated anew with AWS's own library and compared; nothing here builds a
 * canonical request of its own.
 *
 * Checks go from cheap to costly, in AWS's order: form, date, scope, key, and only then the body is
 * read and the signature calculated.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash } from "node:crypto";
import { ALGORITHM_IDENTIFIER, KEY_TYPE_IDENTIFIER, UNSIGNED_PAYLOAD } from "@smithy/signature-v4";
import { equalInConstantTime } from "../access/constant-time.ts";
import type { AccessKey, AccessKeys } from "../access/credentials.ts";
import { formatBasicDate } from "./basic-date.ts";
import {
  expiredToken,
  incompleteSignature,
  invalidSignature,
  signatureDoesNotMatch,
  unrecognizedClient,
} from "./errors.ts";
import { queryOf, readSignature, type Signature } from "./read-signature.ts";
import { SignatureRecalculation } from "./recalculate-signature.ts";

export interface SignatureOptions {
  /** The region served here; another in the credential's scope is refused. */
  readonly region: string;
  /** Of services that the whole installation shares: the regions that clients may name besides. */
  readonly otherRegions?: readonly string[];
  /** The service's signing name, for example `ecr`. */
  readonly service: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** True when the connection is encrypted: then the body need not be signed. */
  readonly secure: boolean;
  readonly keys: AccessKeys;
  /** Called once, when all but the signature itself is known to be right. */
  readBody(): Promise<Uint8Array>;
}

/** How far the clock of a client may be off, in either direction. */
const skewMilliseconds = 5 * 60_000;

/** @throws AwsError */
export async function authenticateSignature(
  request: Request,
  options: SignatureOptions,
): Promise<{ key: AccessKey; body: Uint8Array }> {
  const query = queryOf(request);
  const signature = readSignature(request, query);
  checkDate(signature, options.now);
  checkSignedHeaders(signature, request);
  const scope = checkScope(signature, options);
  const key = await options.keys.find(scope.accessKeyId, signature.sessionToken);
  if (key === undefined) throw unrecognizedClient();

  const claimedHash = request.headers.get("x-amz-content-sha256");
  const unsignedPayload = claimedHash === UNSIGNED_PAYLOAD;
  if (unsignedPayload && !options.secure) {
    throw invalidSignature("The payload must be signed when the connection is not encrypted.");
  }
  const body = await options.readBody();
  const calculated = await new SignatureRecalculation(
    { region: scope.region, service: options.service },
    key,
  ).signature(
    { method: request.method, path: pathOf(request), query, headers: request.headers },
    signature,
    unsignedPayload ? UNSIGNED_PAYLOAD : createHash("sha256").update(body).digest("hex"),
  );
  if (calculated === undefined || !equalInConstantTime(calculated, signature.signature)) {
    throw signatureDoesNotMatch();
  }
  if (key.expiresAt !== undefined && options.now >= key.expiresAt) throw expiredToken();
  options.keys.used?.(key, options.service);
  return { key, body };
}

function checkDate({ date, expiresSeconds }: Signature, now: number): void {
  const minutes = skewMilliseconds / 60_000;
  const latest = now + skewMilliseconds;
  if (date.milliseconds > latest) {
    throw invalidSignature(
      `Signature not yet current: ${date.basic} is still later than ${formatBasicDate(latest)} (${formatBasicDate(now)} + ${minutes} min.)`,
    );
  }
  if (expiresSeconds !== undefined) {
    const end = date.milliseconds + expiresSeconds * 1000;
    if (end >= now) return;
    throw invalidSignature(
      `Signature expired: ${formatBasicDate(end)} is now earlier than ${formatBasicDate(now)}`,
    );
  }
  const earliest = now - skewMilliseconds;
  if (date.milliseconds < earliest) {
    throw invalidSignature(
      `Signature expired: ${date.basic} is now earlier than ${formatBasicDate(earliest)} (${formatBasicDate(now)} - ${minutes} min.)`,
    );
  }
}

/** What the server acts on must be what the client signed. */
function checkSignedHeaders({ signedHeaders }: Signature, request: Request): void {
  if (!signedHeaders.includes("host")) {
    throw invalidSignature(
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    );
  }
  for (const name of ["X-Amz-Target", "X-Amz-Content-SHA256", "X-Amz-Security-Token"]) {
    if (request.headers.has(name) && !signedHeaders.includes(name.toLowerCase())) {
      throw invalidSignature(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
    }
  }
}

function checkScope(
  { algorithm, credential, date }: Signature,
  { region, otherRegions, service }: SignatureOptions,
): { accessKeyId: string; region: string } {
  if (algorithm !== ALGORITHM_IDENTIFIER) {
    throw incompleteSignature(
      `Unsupported AWS 'algorithm': '${algorithm.slice(0, 64)}' (only ${ALGORITHM_IDENTIFIER} for now).`,
    );
  }
  const elements = credential.split("/");
  const [accessKeyId, scopeDate, scopeRegion, scopeService, terminator] = elements;
  if (elements.length !== 5 || accessKeyId === undefined) {
    throw incompleteSignature(
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential.slice(0, 256)}'`,
    );
  }
  const wrong: string[] = [];
  const isServed = scopeRegion === region || otherRegions?.includes(scopeRegion ?? "") === true;
  if (!isServed) {
    wrong.push(`Credential should be scoped to a valid region, not '${scopeRegion}'.`);
  }
  if (scopeService !== service) {
    wrong.push(`Credential should be scoped to correct service: '${service}'.`);
  }
  if (terminator !== KEY_TYPE_IDENTIFIER) {
    wrong.push(
      `Credential should be scoped with a valid terminator: '${KEY_TYPE_IDENTIFIER}', not '${terminator}'.`,
    );
  }
  if (scopeDate !== date.basic.slice(0, 8)) {
    wrong.push(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scopeDate}' != '${date.basic.slice(0, 8)}', from '${date.basic}'.`,
    );
  }
  if (wrong.length > 0) throw invalidSignature(wrong.join(" ").slice(0, 1024));
  return { accessKeyId, region: scopeRegion ?? region };
}

/** A request of HTTP/1.0 without `Host` has a URL that cannot be parsed. */
function pathOf(request: Request): string {
  return URL.canParse(request.url) ? new URL(request.url).pathname : "/";
}

/** Answers of the AWS Query protocol: objects as XML, in the order of their members. */
import type { RequestContext } from "../runtime/request.ts";
import { AwsError } from "./errors.ts";

/** @param result undefined when the operation has nothing to tell */
export function queryAnswer(
  context: RequestContext,
  namespace: string,
  operation: string,
  result: object | undefined,
): Response {
  const content = result === undefined ? "" : element(`${operation}Result`, result);
  const metadata = element("ResponseMetadata", { RequestId: context.requestId });
  return xml(
    context,
    200,
    `<${operation}Response xmlns="${namespace}">${content}${metadata}</${operation}Response>`,
  );
}

/** What the Query protocol calls the refusals that all services share, with their status. */
const sharedErrors: Readonly<Record<string, { code: string; status: number }>> = {
  MissingAuthenticationTokenException: { code: "MissingAuthenticationToken", status: 403 },
  IncompleteSignatureException: { code: "IncompleteSignature", status: 400 },
  InvalidSignatureException: { code: "SignatureDoesNotMatch", status: 403 },
  UnrecognizedClientException: { code: "InvalidClientTokenId", status: 403 },
  ExpiredTokenException: { code: "ExpiredToken", status: 403 },
  AccessDeniedException: { code: "AccessDenied", status: 403 },
  SerializationException: { code: "MalformedInput", status: 400 },
  RequestEntityTooLargeException: { code: "RequestEntityTooLarge", status: 413 },
  RequestTimeoutException: { code: "RequestTimeout", status: 408 },
};

export function inQueryTerms(error: AwsError): AwsError {
  const shared = sharedErrors[error.type];
  return shared === undefined
    ? error
    : new AwsError(shared.code, error.message, { status: shared.status });
}

export function queryError(context: RequestContext, namespace: string, error: AwsError): Response {
  const { type: code, status } = error;
  context.log.errorCode = code;
  const Type = status >= 500 ? "Receiver" : "Sender";
  const content = element("Error", { Type, Code: code, Message: error.message });
  const request = element("RequestId", context.requestId);
  return xml(
    context,
    status,
    `<ErrorResponse xmlns="${namespace}">${content}${request}</ErrorResponse>`,
  );
}

function xml(context: RequestContext, status: number, body: string): Response {
  return new Response(body, {
    status,
    headers: { "content-type": "text/xml", "x-amzn-RequestId": context.requestId },
  });
}

function element(name: string, value: unknown): string {
  return value === undefined || value === null ? "" : `<${name}>${contentOf(value)}</${name}>`;
}

function contentOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString().replace(/\.\d{3}Z$/, "Z");
  if (Array.isArray(value)) return value.map((member) => element("member", member)).join("");
  if (typeof value === "object" && value !== null) {
    return Object.entries(value)
      .map(([name, member]) => element(name, member))
      .join("");
  }
  return escaped(String(value));
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** Control characters have no place in XML 1.0, not even escaped; a carriage return would be lost. */
function escaped(text: string): string {
  return text
    .replace(/[&<>]/g, (character) => entities[character] ?? "")
    .replace(/\p{Cc}/gu, (character) => {
      if (character === "\r") return "&#xD;";
      return character === "\n" || character === "\t" ? character : "\ufffd";
    });
}

/** Requests for the AWS endpoint, signed by AWS's own library, for tests that then spoil them. */
import { SignatureV4 } from "@smithy/signature-v4";
import type { AccessKey } from "../../src/access/credentials.ts";
import { Sha256 } from "../../src/aws/sha256.ts";

export interface SignedRequestOptions {
  readonly key: AccessKey;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly region?: string;
  readonly service?: string;
  readonly operation?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Signed although the library would leave them out. */
  readonly signableHeaders?: readonly string[];
  readonly unsignableHeaders?: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  /** Leave out `x-amz-content-sha256`, as the AWS CLI does. */
  readonly withoutPayloadHash?: boolean;
}

export interface SignedRequest {
  readonly url: string;
  readonly method: "POST";
  readonly headers: Record<string, string>;
  readonly body: string;
}

const host = "127.0.0.1:5001";

export async function signedRequest(options: SignedRequestOptions): Promise<SignedRequest> {
  const { body = "{}", operation = "DescribeRegistry", query = {} } = options;
  const signed = await signerOf(options).sign(
    {
      method: "POST",
      protocol: "http:",
      hostname: "127.0.0.1",
      port: 5001,
      path: "/",
      query: { ...query },
      headers: { ...headersOf(operation), ...options.headers },
      body,
    },
    {
      signingDate: new Date(options.now),
      unsignableHeaders: new Set(options.unsignableHeaders),
      ...(options.signableHeaders && { signableHeaders: new Set(options.signableHeaders) }),
    },
  );
  return { method: "POST", url: urlOf(query), headers: signed.headers, body };
}

export async function presignedRequest(
  options: SignedRequestOptions & { expiresSeconds?: number },
): Promise<SignedRequest> {
  const { body = "{}", operation = "DescribeRegistry" } = options;
  const headers = { ...headersOf(operation), ...options.headers };
  const signed = await signerOf(options).presign(
    {
      method: "POST",
      protocol: "http:",
      hostname: "127.0.0.1",
      port: 5001,
      path: "/",
      query: {},
      headers,
      body,
    },
    {
      signingDate: new Date(options.now),
      expiresIn: options.expiresSeconds ?? 60,
      unhoistableHeaders: new Set(["x-amz-target"]),
    },
  );
  return { method: "POST", url: urlOf(signed.query ?? {}), headers, body };
}

function signerOf(options: SignedRequestOptions): SignatureV4 {
  return new SignatureV4({
    service: options.service ?? "ecr",
    region: options.region ?? "us-east-1",
    credentials: {
      accessKeyId: options.key.id,
      secretAccessKey: options.key.secretAccessKey,
    },
    sha256: Sha256,
    applyChecksum: options.withoutPayloadHash !== true,
  });
}

function headersOf(operation: string): Record<string, string> {
  return {
    host,
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": `AmazonEC2ContainerRegistry_V20150921.${operation}`,
  };
}

function urlOf(query: Readonly<Record<string, unknown>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) parameters.append(name, String(value));
  const text = parameters.toString().replaceAll("+", "%20");
  return `http://${host}/${text === "" ? "" : `?${text}`}`;
}

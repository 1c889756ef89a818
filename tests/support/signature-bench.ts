/** The AWS endpoint under a clock that stands still, and requests for it that a test can spoil. */
import { type AwsEndpoint, startAwsEndpoint } from "./aws-endpoint.ts";
import { manualClock } from "./manual-clock.ts";
import {
  presignedRequest,
  type SignedRequest,
  type SignedRequestOptions,
  signedRequest,
} from "./signed-request.ts";

export interface Answer {
  readonly status: number;
  /** Empty when the request was accepted. */
  readonly type: string;
  readonly message: string;
}

export interface SignatureBench {
  readonly endpoint: AwsEndpoint;
  /** Milliseconds since the Unix epoch: 2027-01-15 08:00:00. */
  readonly now: number;
  send(request: SignedRequest, secure?: boolean): Promise<Answer>;
  sign(options?: Partial<SignedRequestOptions>): Promise<SignedRequest>;
  presign(options?: Partial<SignedRequestOptions>): Promise<SignedRequest>;
}

export async function signatureBench(): Promise<SignatureBench> {
  const clock = manualClock(Date.UTC(2027, 0, 15, 8, 0, 0));
  const endpoint = await startAwsEndpoint({ clock });
  const now = clock.now();
  return {
    endpoint,
    now,
    async send({ url, method, headers, body }, secure = false) {
      const request = new Request(url, { method, headers, body });
      const response = await endpoint.handler(request, endpoint.context(secure));
      const answer = (await response.json()) as { __type?: string; message?: string };
      return { status: response.status, type: answer.__type ?? "", message: answer.message ?? "" };
    },
    sign: (options = {}) => signedRequest({ key: endpoint.root, now, ...options }),
    presign: (options = {}) => presignedRequest({ key: endpoint.root, now, ...options }),
  };
}

/** Another value for a header, or none. */
export function withHeader(
  request: SignedRequest,
  name: string,
  value: string | undefined,
): SignedRequest {
  const { [name]: _, ...headers } = request.headers;
  return { ...request, headers: value === undefined ? headers : { ...headers, [name]: value } };
}

export function authorization(request: SignedRequest): string {
  return request.headers.authorization ?? "";
}

export const mismatch: Answer = {
  status: 400,
  type: "InvalidSignatureException",
  message:
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
};

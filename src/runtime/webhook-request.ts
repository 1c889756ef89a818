/**
 * A request to an address that somebody else chose. The name is resolved once, its addresses are
 * judged, and the connection goes to the one that was judged: a name that means something else a
 * moment later gains nothing. Redirects are not followed.
 */
import { lookup } from "node:dns/promises";

export interface WebhookRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMilliseconds: number;
  readonly signal: AbortSignal;
  readonly mayConnect: (url: URL, address: string) => boolean;
}

export interface WebhookAnswer {
  readonly status: number;
  readonly retryAfter: string | null;
  /** The beginning of the body. */
  readonly text: string;
}

/** @throws WebhookAddressRefused, and the errors of the network */
export type SendWebhook = (request: WebhookRequest) => Promise<WebhookAnswer>;

export class WebhookAddressRefused extends Error {
  override readonly name = "WebhookAddressRefused";
}

/** More of an answer is not read. */
const answerBytesLimit = 16 * 1024;

export const sendWebhook: SendWebhook = async (request) => {
  const { url, headers, timeoutMilliseconds } = request;
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMilliseconds)]);
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = await within(signal, lookup(hostname, { all: true }));
  const chosen = addresses.find(({ address }) => request.mayConnect(url, address));
  if (chosen === undefined) {
    throw new WebhookAddressRefused(
      `${url.hostname} has no address that a webhook may go to (events.privateHosts)`,
    );
  }
  const target = new URL(url);
  target.hostname = chosen.family === 6 ? `[${chosen.address}]` : chosen.address;
  const response = await fetch(target, {
    method: request.method,
    headers: { ...headers, host: url.host },
    body: request.body,
    redirect: "manual",
    signal,
    ...(url.protocol === "https:" && { tls: { serverName: hostname } }),
  });
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    text: await beginning(response),
  };
};

async function beginning(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  while (reader !== undefined && bytes < answerBytesLimit) {
    const { done, value } = await reader.read();
    if (done) return text;
    bytes += value.byteLength;
    text += decoder.decode(value.subarray(0, answerBytesLimit), { stream: true });
  }
  await reader?.cancel();
  return text.slice(0, answerBytesLimit);
}

function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", onAbort));
}

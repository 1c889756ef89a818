/** A receiver of webhooks on a real socket that answers as a test says. */
import { createHmac } from "node:crypto";

export interface ReceivedWebhook {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface WebhookReceiver extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  readonly received: readonly ReceivedWebhook[];
  /** From now on. Absent: 204 to everything. */
  answer(how?: (webhook: ReceivedWebhook) => Response | Promise<Response>): void;
  /** Ids of the events whose answer was 2xx, in order. */
  readonly accepted: readonly string[];
}

export function startWebhookReceiver(port = 0): WebhookReceiver {
  const received: ReceivedWebhook[] = [];
  const accepted: string[] = [];
  const accept = () => new Response(null, { status: 204 });
  let answerWith: (webhook: ReceivedWebhook) => Response | Promise<Response> = accept;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    idleTimeout: 60,
    async fetch(request) {
      const webhook = {
        path: new URL(request.url).pathname,
        method: request.method,
        headers: Object.fromEntries(request.headers),
        body: await request.text(),
      };
      received.push(webhook);
      const response = await answerWith(webhook);
      if (response.ok) accepted.push(JSON.parse(webhook.body).id);
      return response;
    },
  });
  return {
    host: `127.0.0.1:${server.port}`,
    received,
    accepted,
    answer(how = accept) {
      answerWith = how;
    },
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
}

/** Standard Webhooks, written down a second time. */
export function isSigned({ headers, body }: ReceivedWebhook, secret: string): boolean {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const expected = createHmac("sha256", key).update(content).digest("base64");
  return headers["webhook-signature"] === `v1,${expected}`;
}

/** One attempt to deliver one event to one target. */

import type { SendWebhook, WebhookAnswer } from "../runtime/webhook-request.ts";
import { WebhookAddressRefused } from "../runtime/webhook-request.ts";
import {
  decryptSecret,
  type EventsContext,
  findApiDestination,
  findConnection,
} from "./connections.ts";
import { EventsError } from "./errors.ts";
import type { EventEnvelope } from "./event.ts";
import { inputOf } from "./input.ts";
import { type RuleTarget, ruleArn } from "./rule-documents.ts";
import { parseTargetArn } from "./target-arn.ts";
import type { WebhookPolicy } from "./webhook-policy.ts";
import { webhookHeaders } from "./webhook-signature.ts";

export type DeliveryResult =
  | { readonly outcome: "delivered" }
  | {
      /** `retry`: it may be better later. `refused`: it will not. */
      readonly outcome: "retry" | "refused";
      readonly code: DeliveryFailureCode;
      readonly text: string;
      /** The receiver asks to wait so long. */
      readonly waitMilliseconds?: number;
    };

export const deliveryFailureCodes = {
  unreachable: "The receiver could not be reached, or the connection broke.",
  timeout: "The receiver did not answer in time.",
  status_retried: "The receiver answered 401, 407, 408, 409, 425, 429 or 5xx.",
  status_refused: "The receiver answered another status than 2xx. Not tried again.",
  redirect_refused:
    "The receiver answered with a redirect, which is not followed. Not tried again.",
  address_refused: "The host has only private addresses that events.privateHosts does not list.",
  connection_unusable:
    "The connection or the API destination is gone, or its secret cannot be read.",
  write_failed: "The file could not be written.",
  internal_error: "The server failed, which its log tells of.",
  too_old: "The event waited longer than the target's MaximumEventAgeInSeconds.",
  too_many_attempts: "As many attempts as the target's MaximumRetryAttempts have failed.",
  queue_full: "More events waited for the target than events.waitingLimit.",
} as const;

export type DeliveryFailureCode = keyof typeof deliveryFailureCodes;

export interface DeliveryPorts {
  readonly events: EventsContext;
  readonly policy: WebhookPolicy;
  readonly send: SendWebhook;
  /** Resolves when the line is durable. */
  readonly appendLine: (account: string, name: string, line: string) => Promise<void>;
  readonly printLine: (line: string) => void;
  readonly userAgent: string;
  readonly timeoutMilliseconds: number;
}

export interface Delivery {
  readonly account: string;
  readonly rule: string;
  readonly target: RuleTarget;
  readonly event: EventEnvelope;
}

/** Never throws for what goes wrong on the way. */
export async function deliverEvent(
  ports: DeliveryPorts,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<DeliveryResult> {
  const { registry } = ports.events;
  const { account, target, event } = delivery;
  const rule = { name: delivery.rule, arn: ruleArn(registry.region, account, delivery.rule) };
  const place = parseTargetArn(target.arn, { region: registry.region, account });
  const input = inputOf(target, event, rule);
  switch (place?.kind) {
    case "file":
      try {
        await ports.appendLine(account, place.name, JSON.stringify(input));
        return { outcome: "delivered" };
      } catch (error) {
        return { outcome: "retry", code: "write_failed", text: textOf(error) };
      }
    case "standard-output":
      ports.printLine(JSON.stringify({ rule: rule.name, account, event: input }));
      return { outcome: "delivered" };
    case "api-destination":
      return callWebhook(ports, delivery, place.name, input, signal);
    default:
      return {
        outcome: "refused",
        code: "connection_unusable",
        text: `${target.arn} is no target of this region`,
      };
  }
}

async function callWebhook(
  ports: DeliveryPorts,
  { account, event }: Delivery,
  name: string,
  input: unknown,
  signal: AbortSignal,
): Promise<DeliveryResult> {
  const { registry } = ports.events;
  const { read } = registry.metadata;
  let url: URL;
  let headers: Record<string, string>;
  let method: string;
  const body = JSON.stringify(cloudEvent(event, input));
  try {
    const destination = await findApiDestination(read, account, name);
    ports.policy.checkEndpoint(destination.endpoint);
    url = new URL(destination.endpoint);
    method = destination.method;
    const { authorization } = await findConnection(read, account, destination.connection);
    const secret = decryptSecret(ports.events, account, destination.connection, authorization);
    const timestamp = Math.floor(registry.clock.now() / 1000);
    headers = {
      "content-type": "application/cloudevents+json; charset=utf-8",
      "user-agent": ports.userAgent,
      ...(authorization.kind === "signature" &&
        webhookHeaders(secret, { id: event.id, timestamp, body })),
      ...(authorization.kind === "header" && { [authorization.name]: secret }),
      ...(authorization.kind === "basic" && {
        authorization: `Basic ${Buffer.from(`${authorization.user}:${secret}`).toString("base64")}`,
      }),
    };
  } catch (error) {
    // The operator can mend it, so it is tried again; what the document says decides, not its age.
    const code =
      error instanceof EventsError && error.failure === "invalid"
        ? "address_refused"
        : "connection_unusable";
    return { outcome: "retry", code, text: textOf(error) };
  }
  try {
    const { timeoutMilliseconds } = ports;
    const { mayConnect } = ports.policy;
    const request = { url, method, headers, body, timeoutMilliseconds, signal, mayConnect };
    return judge(await ports.send(request), registry.clock.now());
  } catch (error) {
    if (signal.aborted) throw error;
    if (error instanceof WebhookAddressRefused) {
      return { outcome: "retry", code: "address_refused", text: error.message };
    }
    const isTimeout = error instanceof Error && error.name === "TimeoutError";
    const code = isTimeout ? "timeout" : "unreachable";
    return { outcome: "retry", code, text: `${url.host}: ${textOf(error)}` };
  }
}

/**
 * CloudEvents 1.0, structured. `data` is what EventBridge would have sent: the event with its
 * envelope, or what the target's input makes of it.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
function cloudEvent(event: EventEnvelope, data: unknown): object {
  const repository = event.detail["repository-name"];
  return {
    specversion: "1.0",
    id: event.id,
    source: `urn:portolan:${event.region}:${event.account}`,
    type: event["detail-type"],
    ...(typeof repository === "string" && { subject: repository }),
    time: event.time,
    datacontenttype: "application/json",
    data,
  };
}

/** Those that EventBridge tries again, and two more that mean "later". */
const retriedStatus = new Set([401, 407, 408, 409, 425, 429]);

function judge({ status, retryAfter }: WebhookAnswer, now: number): DeliveryResult {
  if (status >= 200 && status < 300) return { outcome: "delivered" };
  const text = `the receiver answered ${status}`;
  if (status >= 300 && status < 400) return { outcome: "refused", code: "redirect_refused", text };
  if (status < 500 && !retriedStatus.has(status)) {
    return { outcome: "refused", code: "status_refused", text };
  }
  const waitMilliseconds = readRetryAfter(retryAfter, now);
  return {
    outcome: "retry",
    code: "status_retried",
    text,
    ...(waitMilliseconds !== undefined && { waitMilliseconds }),
  };
}

/** Nobody may make a delivery wait longer. */
const retryAfterLimitMilliseconds = 3600_000;

function readRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  if (!Number.isFinite(wait) || wait < 0) return undefined;
  return Math.min(wait, retryAfterLimitMilliseconds);
}

/** One line, bounded: it is stored and shown. */
function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replace(/\s+/g, " ").slice(0, 500);
}

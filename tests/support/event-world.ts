/** A registry with its events, a clock moved by hand, and real sockets for webhooks. */
import { secretCipher } from "../../src/access/installation-key.ts";
import {
  createApiDestination,
  createConnection,
  type EventsContext,
  encryptAuthorization,
  type GivenAuthorization,
} from "../../src/events/connections.ts";
import type { EventEnvelope } from "../../src/events/event.ts";
import { eventMetrics } from "../../src/events/event-metrics.ts";
import type { RuleTarget } from "../../src/events/rule-documents.ts";
import { putRule, putTargets } from "../../src/events/rules.ts";
import { defaultEventSettings, type EventSettings } from "../../src/events/settings.ts";
import { type RunningEvents, startEvents } from "../../src/events/start-events.ts";
import { webhookPolicy } from "../../src/events/webhook-policy.ts";
import type { MetadataStore } from "../../src/metadata/metadata-store.ts";
import { createRepository } from "../../src/registry/create-repository.ts";
import { metricsRegistry } from "../../src/runtime/metrics.ts";
import { sendWebhook } from "../../src/runtime/webhook-request.ts";
import { openRegistry, type TestRegistry } from "./registry.ts";

export const eventAccount = "111122223333";
export const signingSecret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const actor = `arn:aws:iam::${eventAccount}:root`;

export interface EventWorld extends AsyncDisposable {
  readonly registry: TestRegistry;
  readonly events: RunningEvents;
  readonly context: EventsContext;
  /** Lines of the target `file/<name>`. */
  readonly lines: Readonly<Record<string, EventEnvelope[]>>;
  /** What was warned of, oldest first. */
  readonly warnings: string[];
  metric(name: string): Promise<number>;
  /** Rounds until nothing is under way and nothing is due any more. */
  settle(): Promise<void>;
  rule(name: string, pattern: object, ...targets: readonly RuleTarget[]): Promise<void>;
  /** A connection and an API destination. @returns its ARN */
  webhook(name: string, url: string, authorization?: GivenAuthorization): Promise<string>;
  /** Changes of the journal. */
  createRepositories(...names: readonly string[]): Promise<void>;
  /** Another process on the same database, as after a crash: nothing in memory is the same. */
  restarted(): RunningEvents;
}

export const fileTarget = (name: string, more: Partial<RuleTarget> = {}): RuleTarget => ({
  id: name,
  arn: `arn:aws:portolan:us-east-1:${eventAccount}:file/${name}`,
  ...more,
});

export interface EventWorldOptions {
  readonly openMetadata?: () => Promise<MetadataStore>;
  readonly privateHosts?: readonly string[];
  readonly settings?: Partial<EventSettings>;
  /** Before a line is taken. */
  readonly onLine?: (name: string) => void;
}

export async function openEventWorld(options: EventWorldOptions = {}): Promise<EventWorld> {
  const { openMetadata } = options;
  const registry = await openRegistry(openMetadata === undefined ? {} : { openMetadata });
  const { context: registryContext, clock } = registry;
  const metrics = metricsRegistry();
  const policy = webhookPolicy(options.privateHosts ?? []);
  const cipher = secretCipher(new Uint8Array(32), registryContext.random);
  const context = { registry: registryContext, cipher, checkEndpoint: policy.checkEndpoint };
  const settings = { ...defaultEventSettings, ...options.settings };
  const lines: Record<string, EventEnvelope[]> = {};
  const warnings: string[] = [];
  const counted = eventMetrics(metrics);
  const open = () =>
    startEvents({
      ports: {
        events: context,
        policy,
        send: sendWebhook,
        async appendLine(_account, name, line) {
          options.onLine?.(name);
          lines[name] ??= [];
          lines[name].push(JSON.parse(line));
        },
        printLine() {},
        userAgent: "Portolan/test",
        timeoutMilliseconds: settings.timeoutMilliseconds,
      },
      settings,
      metrics: counted,
      log: {
        info() {},
        warn: (_fields, text) => void warnings.push(text),
        error: (fields, text) => void warnings.push(`${text}: ${JSON.stringify(fields)}`),
      },
      soleWorker: true,
    });
  const events = open();
  // Events begin at the first round.
  await events.tick();
  return {
    registry,
    events,
    context,
    lines,
    warnings,
    async metric(name) {
      const line = (await metrics.text()).split("\n").find((each) => each.startsWith(`${name} `));
      return Number(line?.split(" ")[1] ?? 0);
    },
    async settle() {
      for (let i = 0; i < 5; i++) {
        await events.tick();
        await events.settled();
      }
    },
    async rule(name, pattern, ...targets) {
      const address = { account: eventAccount, name, actor };
      const rule = { pattern: JSON.stringify(pattern), isEnabled: true, tags: {} };
      await putRule(context, address, rule);
      if (targets.length > 0) await putTargets(registryContext, address, targets);
    },
    async webhook(name, url, authorization) {
      const target = { account: eventAccount, name, actor };
      const given = authorization ?? {
        ...{ kind: "header", name: "webhook-signature", secret: signingSecret },
      };
      const stamped = { createdAt: clock.now(), changedAt: clock.now() };
      const connectionArn = `arn:aws:events:us-east-1:${eventAccount}:connection/${name}/1`;
      await createConnection(context, target, {
        arn: connectionArn,
        authorization: encryptAuthorization(context, target, given as GivenAuthorization),
        ...stamped,
      });
      const arn = `arn:aws:events:us-east-1:${eventAccount}:api-destination/${name}/1`;
      await createApiDestination(context, target, {
        ...{ arn, connection: name, endpoint: url, method: "POST", ...stamped },
        invocationRateLimitPerSecond: 300,
      });
      return arn;
    },
    async createRepositories(...names) {
      for (const repository of names) {
        await createRepository(registryContext, { account: eventAccount, repository, actor });
      }
    },
    restarted: open,
    async [Symbol.asyncDispose]() {
      await events.stop();
      await registry[Symbol.asyncDispose]();
    },
  };
}

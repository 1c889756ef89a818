/** Events and alarms of a region, built from its configuration, with their metrics. */
import { join } from "node:path";
import type { SecretCipher } from "./access/installation-key.ts";
import type { EventsContext } from "./events/connections.ts";
import { eventMetrics } from "./events/event-metrics.ts";
import { defaultEventSettings, type EventSettings } from "./events/settings.ts";
import { type RunningEvents, startEvents } from "./events/start-events.ts";
import { storedAlarms, watchAlarms } from "./events/watch-alarms.ts";
import { webhookPolicy } from "./events/webhook-policy.ts";
import { countDeadLetters } from "./metadata/queries/event-dead-letters.ts";
import { selectLanes } from "./metadata/queries/event-deliveries.ts";
import type { RegistryContext } from "./registry/context.ts";
import type { Configuration } from "./runtime/configuration-entries.ts";
import { appendLine } from "./runtime/line-files.ts";
import type { LogOutput } from "./runtime/logger.ts";
import type { Metrics } from "./runtime/metrics.ts";
import type { ScheduledWork } from "./runtime/schedule.ts";
import { sendWebhook } from "./runtime/webhook-request.ts";
import { version } from "./version.ts";

export interface RegionEventsOptions {
  readonly configuration: Configuration;
  readonly context: RegistryContext;
  readonly cipher: SecretCipher;
  readonly metrics: Metrics;
  readonly log: LogOutput;
}

export interface RegionEvents extends RunningEvents {
  /** For the API. */
  readonly context: EventsContext;
  readonly works: readonly ScheduledWork[];
}

export function openEvents(options: RegionEventsOptions): RegionEvents {
  const { configuration, context, cipher, metrics, log } = options;
  const { events, alarms } = configuration;
  const logger = log.logger.child({ region: configuration.region });
  const policy = webhookPolicy(events.privateHosts);
  const settings: EventSettings = {
    ...defaultEventSettings,
    ageLimitMilliseconds: events.retention.milliseconds,
    timeoutMilliseconds: events.timeout.milliseconds,
    waitingLimit: events.waitingLimit,
    deadLetterAgeMilliseconds: events.deadLetterRetention.milliseconds,
    deadLettersLimit: events.deadLettersLimit,
  };
  const eventsContext = { registry: context, cipher, checkEndpoint: policy.checkEndpoint };
  const running = startEvents({
    ports: {
      events: eventsContext,
      policy,
      send: sendWebhook,
      appendLine: (account, name, line) =>
        appendLine(eventFile(configuration.data, account, name), line, events.fileLimit.bytes),
      printLine: (line) => log.writeLine(`${line}\n`),
      userAgent: `Portolan/${version}`,
      timeoutMilliseconds: settings.timeoutMilliseconds,
    },
    settings,
    metrics: eventMetrics(metrics),
    log: logger,
    // A data directory belongs to one process; a database may be shared by several nodes.
    soleWorker: configuration.metadata.driver === "sqlite",
  });
  registerGauges(metrics, context);
  const watch = watchAlarms({
    context,
    account: configuration.account,
    thresholds: {
      "replication-lag": seconds(alarms.lag),
      "replication-failures": count(alarms.failures),
      "destination-unreachable": seconds(alarms.unreachable),
      "verify-differences": count(alarms.verifyDifferences),
      "dead-letters": count(alarms.deadLetters),
    },
    log: logger,
  });
  return {
    ...running,
    context: eventsContext,
    works: [
      {
        name: "alarms",
        intervalMilliseconds: alarms.interval.milliseconds,
        run: () => watch.look(),
      },
      {
        name: "dead letter retention",
        intervalMilliseconds: 3600_000,
        run: async () => void (await running.expire()),
      },
    ],
  };
}

/** Where the target `file/<name>` of an account writes. */
export function eventFile(data: string, account: string, name: string): string {
  return join(data, "events", account, `${name}.jsonl`);
}

const seconds = ({ milliseconds }: { milliseconds: number }) =>
  milliseconds === 0 ? undefined : milliseconds / 1000;
const count = (value: number) => (value === 0 ? undefined : value);

function registerGauges(metrics: Metrics, { metadata, clock }: RegistryContext): void {
  metrics.gauge(
    { name: "event_deliveries_waiting", help: "Events that wait to be delivered, of all targets." },
    async (gauge) => {
      const lanes = await selectLanes(metadata.read);
      gauge.series().set(lanes.reduce((sum, { waiting }) => sum + waiting, 0));
    },
  );
  metrics.gauge(
    {
      name: "event_target_failing_seconds",
      help: "For how long the target that fails longest has failed; 0 when none does.",
    },
    async (gauge) => {
      const since = (await selectLanes(metadata.read)).flatMap((lane) => lane.failing_since ?? []);
      gauge.series().set(since.length === 0 ? 0 : (clock.now() - Math.min(...since)) / 1000);
    },
  );
  metrics.gauge(
    { name: "event_dead_letters", help: "Dead letters that are kept." },
    async (gauge) => {
      const rows = await countDeadLetters(metadata.read);
      gauge.series().set(rows.reduce((sum, { letters }) => sum + Number(letters), 0));
    },
  );
  metrics.gauge(
    {
      name: "alarm_raised",
      help: "1 while the alarm is raised. One that never was does not appear.",
      labels: ["alarm"],
    },
    async (gauge) => {
      gauge.reset();
      for (const { name, isRaised } of await storedAlarms(metadata.read)) {
        gauge.series({ alarm: name }).set(isRaised ? 1 : 0);
      }
    },
  );
}

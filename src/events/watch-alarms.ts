/** Looks at what alarms are about, and writes every change of a state with its event. */
import type { Queryable } from "../metadata/metadata-store.ts";
import { changeAlarmState, selectAlarmStates } from "../metadata/queries/alarm-states.ts";
import { countDeadLetters } from "../metadata/queries/event-dead-letters.ts";
import { selectDestinationStates } from "../metadata/queries/replication-destinations.ts";
import { announce } from "../registry/change.ts";
import type { RegistryContext } from "../registry/context.ts";
import { destinationLags } from "../replication/destination-lag.ts";
import { storedVerifications } from "../replication/verification/stored-verifications.ts";
import {
  type Alarm,
  type AlarmThresholds,
  alarmName,
  alarmUnits,
  alarmWatch,
  isAlarmKind,
  type Measure,
} from "./alarms.ts";
import { eventTime } from "./event.ts";

export interface AlarmsOptions {
  readonly context: RegistryContext;
  /** To whom alarms belong that concern no account in particular. */
  readonly account: string;
  readonly thresholds: AlarmThresholds;
  readonly log: {
    info(fields: object, text: string): void;
    warn(fields: object, text: string): void;
  };
}

export interface StoredAlarm {
  readonly name: string;
  readonly account: string;
  readonly isRaised: boolean;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly reason: string;
}

export interface Alarms {
  /** One look. */
  look(): Promise<void>;
}

export function watchAlarms({ context, account, thresholds, log }: AlarmsOptions): Alarms {
  const { metadata, clock } = context;
  const watch = alarmWatch(thresholds);

  function isWatched(name: string): boolean {
    const kind = name.split(" ")[0] ?? "";
    return isAlarmKind(kind) && thresholds[kind] !== undefined;
  }

  async function change(alarm: Alarm, before: StoredAlarm | undefined): Promise<void> {
    const { name, isRaised, reason } = alarm;
    const now = clock.now();
    const state = isRaised ? "ALARM" : "OK";
    const changed = await metadata.transaction(async (tx) => {
      const row = { name, account: alarm.account, state, since: now, reason };
      if (!(await changeAlarmState(tx, row))) return false;
      await announce(context, tx, {
        kind: "alarm_state_changed",
        account: alarm.account,
        repository: "",
        origin: context.region,
        actor: `arn:aws:portolan:${context.region}:${alarm.account}:alarm`,
        detail: {
          alarmName: name,
          state: { value: state, reason, timestamp: eventTime(now) },
          previousState: {
            value: before?.isRaised ? "ALARM" : "OK",
            ...(before !== undefined && {
              reason: before.reason,
              timestamp: eventTime(before.since),
            }),
          },
          configuration: { value: alarm.value, threshold: alarm.threshold },
        },
      });
      return true;
    });
    if (!changed) return;
    if (isRaised) log.warn({ alarm: name, reason }, "alarm raised");
    else log.info({ alarm: name, reason }, "alarm cleared");
  }

  return {
    async look() {
      const stored = new Map((await storedAlarms(metadata.read)).map((row) => [row.name, row]));
      const measures = await measure(metadata.read, clock.now(), account);
      measures.push(...quiet(stored.values(), measures));
      const known = new Map([...stored].map(([name, row]) => [name, row.isRaised]));
      for (const alarm of watch.look(measures, known)) {
        await change(alarm, stored.get(alarm.name));
      }
      for (const row of stored.values()) {
        if (!row.isRaised || isWatched(row.name)) continue;
        const reason = "the alarm was switched off";
        await change({ ...row, isRaised: false, reason, value: 0, threshold: 0 }, row);
      }
    },
  };
}

export async function storedAlarms(db: Queryable): Promise<StoredAlarm[]> {
  return (await selectAlarmStates(db)).map(({ name, account, state, since, reason }) => {
    return { name, account, isRaised: state === "ALARM", since, reason };
  });
}

/** Of what a raised alarm is about and nothing is seen any more: a destination without a backlog. */
function quiet(alarms: Iterable<StoredAlarm>, measures: readonly Measure[]): Measure[] {
  const seen = new Set(measures.map(alarmName));
  return [...alarms].flatMap(({ name, account, isRaised }): Measure[] => {
    const [kind = "", ...subject] = name.split(" ");
    if (!isRaised || seen.has(name) || !isAlarmKind(kind)) return [];
    return [{ kind, subject: subject.join(" "), account, value: 0, unit: alarmUnits[kind] }];
  });
}

async function measure(db: Queryable, now: number, account: string): Promise<Measure[]> {
  const measures: Measure[] = [];
  for (const lag of await destinationLags(db, now)) {
    const about = { subject: `${lag.region}/${lag.registryId}`, account: lag.registryId };
    const seconds = lag.lagMilliseconds / 1000;
    measures.push({ ...about, kind: "replication-lag", value: seconds, unit: "seconds" });
    const value = lag.failedImages;
    measures.push({ ...about, kind: "replication-failures", value, unit: "images" });
  }
  for (const state of await selectDestinationStates(db)) {
    const since = state.unreachable_since;
    const value = since === null ? 0 : Math.max(0, now - since) / 1000;
    const about = { subject: state.region, account };
    measures.push({ ...about, kind: "destination-unreachable", value, unit: "seconds" });
  }
  for (const { account: owner, destination, outcome } of await storedVerifications(db)) {
    if (!("report" in outcome)) continue;
    const subject = `${destination.region}/${destination.registryId} of ${owner}`;
    const value = outcome.report.wrong;
    const about = { subject, account: owner };
    measures.push({ ...about, kind: "verify-differences", value, unit: "differences" });
  }
  let letters = 0;
  for (const row of await countDeadLetters(db)) letters += Number(row.letters);
  measures.push({ kind: "dead-letters", subject: "", account, value: letters, unit: "letters" });
  return measures;
}

/**
 * Alarms: what is looked at, and when one is raised and cleared. Pure but for the state that a
 * watch keeps between looks. An alarm is raised when its condition held at two looks in a row and
 * cleared when it was well below at three, so that one that hovers about its threshold does not
 * flap.
 */

/** What the value of an alarm counts. */
export const alarmUnits = {
  "replication-lag": "seconds",
  "replication-failures": "images",
  "destination-unreachable": "seconds",
  "verify-differences": "differences",
  "dead-letters": "letters",
} as const;

export type AlarmKind = keyof typeof alarmUnits;

export function isAlarmKind(text: string): text is AlarmKind {
  return Object.hasOwn(alarmUnits, text);
}

/** What was seen of one thing at one look. */
export interface Measure {
  readonly kind: AlarmKind;
  /** `eu-west-1/111122223333`; empty when there is only one. */
  readonly subject: string;
  readonly account: string;
  readonly value: number;
  readonly unit: (typeof alarmUnits)[AlarmKind];
}

export type AlarmThresholds = Readonly<Record<AlarmKind, number | undefined>>;

export interface Alarm {
  /** The kind and the subject. */
  readonly name: string;
  readonly account: string;
  readonly isRaised: boolean;
  readonly reason: string;
  readonly value: number;
  readonly threshold: number;
}

export const looksToRaise = 2;
export const looksToClear = 3;
/** Below this part of the threshold it is well again. */
const clearPart = 0.5;

interface Watched {
  isRaised: boolean;
  /** Looks in a row that speak for the other state. */
  against: number;
}

export interface AlarmWatch {
  /** @returns the alarms whose state is to be changed */
  look(measures: readonly Measure[], known: ReadonlyMap<string, boolean>): Alarm[];
}

export function alarmName({ kind, subject }: Pick<Measure, "kind" | "subject">): string {
  return subject === "" ? kind : `${kind} ${subject}`;
}

/** @param thresholds undefined: the alarm is off, and is cleared if it was raised */
export function alarmWatch(thresholds: AlarmThresholds): AlarmWatch {
  const watched = new Map<string, Watched>();
  return {
    /** @param known the alarms that were ever raised, with whether they are now */
    look(measures, known) {
      const alarms: Alarm[] = [];
      const seen = new Set<string>();
      for (const measure of measures) {
        const name = alarmName(measure);
        const threshold = thresholds[measure.kind];
        if (threshold === undefined) continue;
        seen.add(name);
        const state = watched.get(name) ?? { isRaised: false, against: 0 };
        watched.set(name, state);
        const isRaised = known.get(name) ?? false;
        // Another node has changed it.
        if (isRaised !== state.isRaised) state.against = 0;
        state.isRaised = isRaised;
        const { value } = measure;
        const speaksAgainst = isRaised ? value < threshold * clearPart : value >= threshold;
        state.against = speaksAgainst ? state.against + 1 : 0;
        if (state.against < (isRaised ? looksToClear : looksToRaise)) continue;
        state.against = 0;
        const { account } = measure;
        const reason = reasonOf(measure, threshold, !isRaised);
        alarms.push({ name, account, isRaised: !isRaised, reason, value, threshold });
      }
      for (const name of watched.keys()) if (!seen.has(name)) watched.delete(name);
      return alarms;
    },
  };
}

function reasonOf({ value, unit }: Measure, threshold: number, isRaised: boolean): string {
  const shown = Math.round(value * 10) / 10;
  return isRaised
    ? `${shown} ${unit} reached the threshold of ${threshold} ${unit} at ${looksToRaise} looks in a row`
    : `${shown} ${unit} was well below the threshold of ${threshold} ${unit} at ${looksToClear} looks in a row`;
}

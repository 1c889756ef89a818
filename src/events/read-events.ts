/** The events of the journal, whether or not a rule matches them. */
import type { Queryable } from "../metadata/metadata-store.ts";
import { selectChanges, selectLastChangeSequence } from "../metadata/queries/changes.ts";
import { eventsOfChange } from "./change-events.ts";
import type { EventEnvelope } from "./event.ts";
import { matches } from "./pattern-match.ts";
import type { PatternNode } from "./pattern-syntax.ts";

export interface EventPage {
  readonly events: readonly EventEnvelope[];
  /** Where the next page begins. */
  readonly next: number;
}

const changesAtOnce = 500;

/** A page of events behind a place in the journal; `next` is the same when there is nothing. */
export async function readEvents(
  db: Queryable,
  region: string,
  after: number,
  pattern?: PatternNode,
): Promise<EventPage> {
  const changes = await selectChanges(db, after, changesAtOnce);
  const events = changes.flatMap((change) => eventsOfChange(region, change));
  return {
    events: pattern === undefined ? events : events.filter((event) => matches(pattern, event)),
    next: changes.at(-1)?.sequence ?? after,
  };
}

/** The last events, oldest first. Looks back through at most `lookBackLimit` changes. */
export async function readLastEvents(
  db: Queryable,
  region: string,
  count: number,
  pattern?: PatternNode,
): Promise<EventPage> {
  const last = await selectLastChangeSequence(db);
  let events: EventEnvelope[] = [];
  for (
    let end = last;
    end > 0 && events.length < count && last - end < lookBackLimit;
    end -= changesAtOnce
  ) {
    // Numbers of the journal are dense: these are the changes up to `end`.
    const changes = await selectChanges(db, Math.max(0, end - changesAtOnce), changesAtOnce);
    const page = changes
      .filter(({ sequence }) => sequence <= end)
      .flatMap((change) => eventsOfChange(region, change))
      .filter((event) => pattern === undefined || matches(pattern, event));
    events = [...page, ...events];
  }
  return { events: count === 0 ? [] : events.slice(-count), next: last };
}

const lookBackLimit = 100_000;

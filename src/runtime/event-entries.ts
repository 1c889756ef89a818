/** What can be configured of events and alarms; part of the table of configuration-entries.ts. */
import { entry, mebibytes, seconds } from "./configuration-entry.ts";
import { byteSize, duration, hosts, integer } from "./configuration-values.ts";

const noHosts: readonly string[] = [];

export const eventEntries = {
  events: {
    privateHosts: entry(
      hosts,
      noHosts,
      "Hosts that webhooks may go to although their address is private, also without TLS. Any other webhook needs HTTPS and a public address, so that nobody who may write rules can make this server ask its own network.",
    ),
    timeout: entry(
      duration("1s", "60s"),
      seconds(10),
      "How long a webhook may take to answer; then the attempt has failed.",
    ),
    retention: entry(
      duration("1m", "30d"),
      seconds(24 * 3600),
      "How long a delivery is tried again, unless its target says less; then the event becomes a dead letter.",
    ),
    waitingLimit: entry(
      integer(1, 10_000_000),
      100_000,
      "Events that wait for one target; the oldest beyond become dead letters.",
    ),
    deadLetterRetention: entry(
      duration("1m", "3650d"),
      seconds(14 * 24 * 3600),
      "How long dead letters are kept.",
    ),
    deadLettersLimit: entry(
      integer(1, 1_000_000),
      1000,
      "Dead letters of one target; the oldest beyond are deleted.",
    ),
    fileLimit: entry(
      byteSize("64KiB", "1TiB"),
      mebibytes(64),
      "A file of events that has grown so large becomes `<name>.jsonl.1`, in the place of the one before.",
    ),
  },
  alarms: {
    interval: entry(
      duration("1s", "1h"),
      seconds(10),
      "How often is looked. An alarm is raised by two looks in a row that reach its threshold, and cleared by three below half of it.",
    ),
    lag: entry(
      duration("0", "365d"),
      seconds(15 * 60),
      "The age of the oldest image that has not arrived at a destination that raises an alarm; 0 switches it off.",
    ),
    failures: entry(
      integer(0, 1_000_000),
      1,
      "Images whose replication to a destination has failed for good that raise an alarm; 0 switches it off.",
    ),
    unreachable: entry(
      duration("0", "365d"),
      seconds(60),
      "For how long a destination is unreachable until an alarm is raised; 0 switches it off.",
    ),
    verifyDifferences: entry(
      integer(0, 1_000_000),
      1,
      "Differences that the newest comparison with a destination has found that raise an alarm; 0 switches it off.",
    ),
    deadLetters: entry(
      integer(0, 1_000_000),
      1,
      "Dead letters that raise an alarm; 0 switches it off.",
    ),
  },
} as const;

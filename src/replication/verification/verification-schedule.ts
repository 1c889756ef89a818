/** Compares every destination with this region again and again, and keeps what came out. */
import { selectReplicatingAccounts } from "../../metadata/queries/verification.ts";
import type { RegistryContext } from "../../registry/context.ts";
import {
  allDestinations,
  type Destination,
  getReplicationConfiguration,
} from "../configuration.ts";
import { asFailure } from "../failure.ts";
import type { ReplicationLog } from "../log.ts";
import {
  storedVerifications,
  storeVerification,
  type VerificationOutcome,
} from "./stored-verifications.ts";
import type { VerificationReport, VerifyOptions } from "./verify-destination.ts";

export interface VerificationScheduleOptions {
  readonly context: RegistryContext;
  readonly verify: (options: VerifyOptions) => Promise<VerificationReport>;
  /** False for what cannot be compared: other registries. */
  readonly isComparable: (destination: Destination) => boolean;
  /** From the end of one round to the beginning of the next, give or take a tenth. */
  readonly intervalMilliseconds: number;
  readonly log: ReplicationLog;
  /** For metrics. */
  readonly onOutcome?: (destination: Destination, outcome: VerificationOutcome) => void;
}

export interface VerificationSchedule {
  /** Resolves when the comparison under way has stopped. */
  stop(): Promise<void>;
}

/** The first round comes at a time of chance within the first interval. */
export function startVerificationSchedule(
  options: VerificationScheduleOptions,
): VerificationSchedule {
  const { context, intervalMilliseconds, log } = options;
  const { clock, random } = context;
  const stopping = new AbortController();
  const { signal } = stopping;

  async function run() {
    await clock.sleep(intervalMilliseconds * random.next(), signal);
    while (!signal.aborted) {
      try {
        await verifyDue(options, signal);
      } catch (error) {
        if (!signal.aborted) log.error({ error }, "destinations cannot be compared");
      }
      await clock.sleep(intervalMilliseconds * (0.9 + 0.2 * random.next()), signal);
    }
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Every destination of every account that nobody has compared within the last half interval. */
export async function verifyDue(
  options: VerificationScheduleOptions,
  signal: AbortSignal,
): Promise<void> {
  const { context, intervalMilliseconds } = options;
  const { clock, metadata } = context;
  const recent = new Set(
    (await storedVerifications(metadata.read))
      .filter(({ finishedAt }) => Math.abs(clock.now() - finishedAt) < intervalMilliseconds / 2)
      .map(({ account, destination }) => nameOf(account, destination)),
  );
  for (const account of await selectReplicatingAccounts(metadata.read)) {
    const configuration = await getReplicationConfiguration(metadata.read, account);
    for (const destination of allDestinations(configuration)) {
      if (signal.aborted) return;
      // Another node of the region has done it.
      if (recent.has(nameOf(account, destination)) || !options.isComparable(destination)) continue;
      await verifyOne(options, account, destination, signal);
    }
  }
}

const nameOf = (account: string, { region, registryId }: Destination) =>
  `${account} ${region} ${registryId}`;

async function verifyOne(
  { context, verify, log, onOutcome }: VerificationScheduleOptions,
  account: string,
  destination: Destination,
  signal: AbortSignal,
): Promise<void> {
  let outcome: VerificationOutcome;
  const { region, registryId } = destination;
  const fields = { region, registryId, account };
  try {
    const report = await verify({ account, destination, signal });
    outcome = { report };
    const { differences, ...figures } = report;
    if (report.wrong > 0) {
      const first = differences.slice(0, 10);
      log.error({ ...fields, ...figures, differences: first }, "a destination lacks what was sent");
    } else log.info({ ...fields, ...figures }, "a destination has what was sent");
  } catch (error) {
    if (signal.aborted) return;
    const failure = asFailure(error);
    const { code, message: text } = failure;
    outcome = { failure: { code, text } };
    const cause = failure.cause === undefined ? {} : { error: failure.cause };
    log.warn({ ...fields, code, text, ...cause }, "a destination cannot be compared");
  }
  await storeVerification(context, account, destination, outcome);
  onOutcome?.(destination, outcome);
}

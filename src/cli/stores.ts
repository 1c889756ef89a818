/** The stores of a region for a command that works beside the server, or without one. */
import type { RegistryContext } from "../registry/context.ts";
import type { RunningReplication } from "../replication/start-replication.ts";
import type { Configuration } from "../runtime/configuration-entries.ts";
import type { CommandContext } from "./command-context.ts";

export interface Stores {
  readonly context: RegistryContext;
  close(): Promise<void>;
}

/** Only what exists is opened: a command on a mistyped directory must not make a new region there. */
export type OpenStores = (configuration: Configuration) => Promise<Stores>;

/**
 * Replication of the region as its configuration has it, not started: what asks other regions.
 * @throws when the configuration has no chart
 */
export type OpenReplication = (
  configuration: Configuration,
  context: RegistryContext,
) => Promise<RunningReplication>;

/** Opens, works, closes; the signal tells that somebody pressed Ctrl-C. */
export async function withStores(
  configuration: Configuration,
  context: CommandContext,
  open: OpenStores,
  work: (registry: RegistryContext, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stores = await open(configuration);
  try {
    await work(stores.context, context.interruption());
  } finally {
    await stores.close();
  }
}

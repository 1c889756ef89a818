/** `portolan replication`: what an operator sees of replication, and how it is steered. */
import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import type { OpenStores } from "../stores.ts";
import { addReplicationFailuresCommand } from "./replication-failures.ts";
import { addReplicationImageCommand } from "./replication-image.ts";
import { addReplicationLostCommand } from "./replication-lost.ts";
import { addReplicationStatusCommand } from "./replication-status.ts";
import { addReplicationSteeringCommands } from "./replication-steering.ts";

export function addReplicationCommand(
  program: Command,
  context: CommandContext,
  open: OpenStores,
): void {
  const replication = program
    .command("replication")
    .description("what is on its way to other regions: see it, try again, pause, resume");
  addReplicationStatusCommand(replication, context, open);
  addReplicationImageCommand(replication, context, open);
  addReplicationFailuresCommand(replication, context, open);
  addReplicationLostCommand(replication, context, open);
  addReplicationSteeringCommands(replication, context, open);
}

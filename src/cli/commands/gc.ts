/** `portolan gc`: removes what no image needs, now. */
import type { Command } from "commander";
import {
  collectGarbage,
  type GarbageItem,
  type GarbageReport,
} from "../../registry/collect-garbage.ts";
import { formatByteCount, formatElapsed } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { addConfigurationOptions, readConfiguration } from "../configuration-options.ts";
import { progressLine } from "../progress-line.ts";
import { type OpenStores, withStores } from "../stores.ts";

interface GcOptions {
  readonly dryRun?: true;
  readonly list?: true;
  readonly json?: true;
}

export function addGcCommand(program: Command, context: CommandContext, open: OpenStores): void {
  const command = program
    .command("gc")
    .description("remove what no image needs: links, blobs, abandoned uploads")
    .option("--dry-run", "remove nothing and tell what would be removed")
    .option("--list", "print every single thing")
    .option("--json", "print the report as JSON; with --list one JSON line per thing before it")
    .addHelpText(
      "after",
      `
It works beside a running server, which also collects by itself (garbageCollection.interval).
Nothing that was touched within registry.garbageGrace is removed.

Examples:
  What would be removed?
    $ portolan gc --dry-run --list --config chart/us-east-1/portolan.yaml
  Remove it:
    $ portolan gc --config chart/us-east-1/portolan.yaml`,
    );
  addConfigurationOptions(command).action(async (options: GcOptions & Record<string, unknown>) => {
    const { configuration } = await readConfiguration(options, context);
    await withStores(configuration, context, open, async (registry, signal) => {
      const progress = progressLine(context);
      const report = await collectGarbage(registry, {
        dryRun: options.dryRun ?? false,
        signal,
        onProgress: (phase, { examined }) => progress.show(`${phase}: ${examined} examined`),
        ...(options.list && {
          onItem: (item) =>
            context.stdout(options.json ? `${JSON.stringify(item)}\n` : itemLine(item)),
        }),
      });
      progress.clear();
      context.stdout(options.json ? `${JSON.stringify(report)}\n` : summary(report));
      if (!report.complete) context.setExitCode(1);
    });
  });
}

function itemLine(item: GarbageItem): string {
  switch (item.kind) {
    case "link":
      return `link       ${item.digest}  ${item.account}/${item.repository}\n`;
    case "upload":
    case "stage":
      return `${item.kind.padEnd(10)} ${item.uploadId}\n`;
    default:
      return `${item.kind.padEnd(10)} ${item.digest}  ${formatByteCount(item.sizeBytes)}\n`;
  }
}

function summary(report: GarbageReport): string {
  const rows: readonly [string, number, string][] = [
    ["links to blobs that no manifest of the repository needs", report.links, ""],
    ["blobs that no repository links to", report.blobs, formatByteCount(report.blobsBytes)],
    ["abandoned uploads", report.uploads, ""],
    ["left by an interrupted collection", report.withdrawn, ""],
    ["temporary files", report.temporaryFiles, ""],
  ];
  const registered: readonly [string, number, string][] = [
    ["blobs without a row", report.orphans, formatByteCount(report.orphansBytes)],
    ["uploads without a session", report.stages, ""],
  ];
  const lines = (table: typeof rows) =>
    table.map(
      ([what, count, size]) => `  ${String(count).padStart(8)}  ${what}${size && `, ${size}`}`,
    );
  return [
    report.dryRun ? "Would be removed:" : "Removed:",
    ...lines(rows),
    report.dryRun
      ? "Would be noted, to be removed after the grace period:"
      : "Noted, to be removed after the grace period:",
    ...lines(registered),
    `${report.examined} examined in ${formatElapsed(report.milliseconds)}${report.complete ? "" : "; interrupted"}`,
    "",
  ].join("\n");
}

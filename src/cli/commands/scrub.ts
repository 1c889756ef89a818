/** `portolan scrub`: reads everything at rest and says whether it is what it should be. */
import { type Command, InvalidArgumentError } from "commander";
import * as v from "valibot";
import { type Digest, parseDigest } from "../../image/digest.ts";
import { hasDamage, type ScrubFinding, type ScrubReport, scrub } from "../../registry/scrub.ts";
import { byteSize } from "../../runtime/configuration-values.ts";
import { formatByteCount, formatElapsed } from "../amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { addConfigurationOptions, readConfiguration } from "../configuration-options.ts";
import { progressLine } from "../progress-line.ts";
import { type OpenStores, withStores } from "../stores.ts";

interface ScrubCommandOptions {
  readonly rate?: number;
  readonly after?: Digest;
  readonly json?: true;
}

export function addScrubCommand(program: Command, context: CommandContext, open: OpenStores): void {
  const command = program
    .command("scrub")
    .description("verify every blob, manifest and image; exit code 1 when something is damaged")
    .option("--rate <size>", "bytes read per second, such as 50MiB (default: no limit)", parseRate)
    .option("--after <digest>", "go on behind this blob, where an earlier run was", parseAfter)
    .option("--json", "print findings as JSON, one a line, and the report last")
    .addHelpText(
      "after",
      `
It works beside a running server. What is damaged is put into quarantine, so that it is answered as
unknown and the next push brings it again.

Examples:
  Gently, beside traffic:
    $ portolan scrub --rate 50MiB --config chart/us-east-1/portolan.yaml
  For a monitor:
    $ portolan scrub --json --config chart/us-east-1/portolan.yaml`,
    );
  addConfigurationOptions(command).action(
    async (options: ScrubCommandOptions & Record<string, unknown>) => {
      const { configuration } = await readConfiguration(options, context);
      await withStores(configuration, context, open, async (registry, signal) => {
        const progress = progressLine(context);
        let lastBlob: string | undefined = options.after;
        const report = await scrub(registry, {
          signal,
          ...(options.rate !== undefined && { bytesPerSecond: options.rate }),
          ...(options.after !== undefined && { after: options.after }),
          onProgress(phase, { blobs, blobsBytes, manifests }, position) {
            if (phase === "blobs") lastBlob = position;
            progress.show(
              `${phase}: ${blobs} blobs (${formatByteCount(blobsBytes)}), ${manifests} manifests`,
            );
          },
          onFinding(finding) {
            progress.clear();
            context.stdout(options.json ? `${JSON.stringify(finding)}\n` : findingLine(finding));
          },
        });
        progress.clear();
        context.stdout(options.json ? `${JSON.stringify(report)}\n` : summary(report));
        if (!report.complete && lastBlob !== undefined) {
          context.stderr(`interrupted; go on with --after ${lastBlob}\n`);
        }
        if (hasDamage(report) || !report.complete) context.setExitCode(1);
      });
    },
  );
}

function parseRate(text: string): number {
  const { schema, expected } = byteSize("64KiB", "1TiB");
  const result = v.safeParse(schema, text);
  if (!result.success) throw new InvalidArgumentError(`expected ${expected}`);
  return result.output.bytes;
}

function parseAfter(text: string): Digest {
  const digest = parseDigest(text);
  if (digest === undefined) throw new InvalidArgumentError("expected a digest, such as sha256:…");
  return digest;
}

function findingLine(finding: ScrubFinding): string {
  switch (finding.kind) {
    case "blob":
      return `blob      ${finding.digest}  ${finding.reason}${finding.actual ? `, its bytes have ${finding.actual}` : ""}  in ${finding.repositories.join(", ") || "no repository"}\n`;
    case "manifest":
      return `manifest  ${finding.digest}  damaged, its bytes have ${finding.actual}  ${imageName(finding)}\n`;
    case "image":
      return `image     ${finding.digest}  lacks ${finding.missing.join(", ")}  ${imageName(finding)}\n`;
  }
}

function imageName({ repository, tags }: { repository: string; tags: readonly string[] }): string {
  return tags.length === 0 ? repository : `${repository}:${tags.join(",")}`;
}

function summary(report: ScrubReport): string {
  const rows: readonly [number, string][] = [
    [report.damagedBlobs, "damaged blobs, now in quarantine"],
    [report.missingBlobs, "missing blobs"],
    [report.damagedManifests, "damaged manifests, now in quarantine"],
    [report.incompleteImages, "images that cannot be pulled whole"],
  ];
  const notes: readonly [number, string][] = [
    [report.recoveredBlobs, "blobs that were missing are here again"],
    [report.repairedSizes, "sizes were corrected"],
    [
      report.unstableBlobs,
      "blobs were wrong at the first reading and right at the second: look at the disk and the memory",
    ],
    [report.indexesWithoutChildren, "indexes whose children were deleted"],
  ];
  const line = ([count, what]: readonly [number, string]) =>
    `  ${String(count).padStart(8)}  ${what}`;
  return [
    `${report.blobs} blobs (${formatByteCount(report.blobsBytes)}), ${report.manifests} manifests and ${report.references} references in ${formatElapsed(report.milliseconds)}${report.complete ? "" : "; interrupted"}`,
    ...rows.map(line),
    ...notes.filter(([count]) => count > 0).map(line),
    "",
  ].join("\n");
}

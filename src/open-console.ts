/** The parts of a region's console, put together: its pages, its API and its sessions. */
import { join } from "node:path";
import { noThrottle } from "./aws/throttle.ts";
import { type Archive, readArchive } from "./console/archive.ts";
import { assetsHandler } from "./console/assets.ts";
import { chartOf } from "./console/chart.ts";
import { eventStreams } from "./console/event-streams.ts";
import { consoleHandler } from "./console/handler.ts";
import { operationDoors } from "./console/operation-doors.ts";
import { consoleSessions } from "./console/sessions.ts";
import { signInThrottle } from "./console/sign-in-throttle.ts";
import type { RegionConsole, RegionConsoleOptions } from "./region-console.ts";
import { version } from "./version.ts";

export function openConsole(options: RegionConsoleOptions): RegionConsole {
  const { configuration, aws, replication, logger } = options;
  const { registry, access, keys } = aws;
  const { clock, random, metadata, region } = registry;
  const regions = configuration.chart.map((entry) => ({
    name: entry.name,
    endpoint: entry.endpoint,
    kind: "kind" in entry ? ("registry" as const) : ("region" as const),
    ...(entry.place !== undefined && { place: entry.place }),
  }));
  const known = { registry, replication, clock, regions };
  const streams = eventStreams({
    registry,
    access,
    chart: (account) => chartOf(known, account),
    onError: (error) => logger.error({ error }, "the console's events cannot be read"),
  });
  const { installationKey } = options;
  const handler = consoleHandler({
    services: {
      ...known,
      access,
      sessions: consoleSessions({ metadata, keys, installationKey, region, clock, random }),
      throttle: signInThrottle(clock),
      doors: operationDoors(
        { access, clock, throttle: aws.throttle ?? noThrottle },
        { ecr: aws, identities: aws.identities },
      ),
      streams,
      version,
    },
    assets: assetsHandler({
      load: loadArchive,
      onError: (error) => logger.error({ error }, "the console's pages cannot be built"),
    }),
    endpoint: configuration.endpoint,
    reportError: aws.reportError,
  });
  return { handler, stop: () => streams.stop() };
}

/** The executable has it inside. From the sources it is built, by another process, if need be. */
async function loadArchive(): Promise<Archive> {
  const embedded = Bun.embeddedFiles.find((file) => "name" in file && file.name === archiveName);
  if (embedded !== undefined) return readArchive(embedded);
  const folder = join(import.meta.dir, "..", "console");
  const build = Bun.spawn([process.execPath, join(folder, "build.ts")], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const problems = await new Response(build.stderr).text();
  if ((await build.exited) !== 0) throw new Error(`console/build.ts failed: ${problems}`);
  // In memory: a later build must not change what has been read in part.
  const bytes = await Bun.file(join(folder, "dist", archiveName)).bytes();
  return readArchive(new Blob([bytes]));
}

const archiveName = "console.archive";

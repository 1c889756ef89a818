/** The demo, step by step. Each step throws when what it shows did not happen. */
import { join } from "node:path";
import {
  buildDemoImage,
  type DemoImage,
  demoImageBase,
} from "../../examples/demo-image/demo-image.ts";
import { projectDocuments } from "../../examples/demo-image/project-documents.ts";
import { bunRuntimeFiles } from "../../examples/demo-image/runtime-files.ts";
import type { Architecture } from "../../examples/demo-image/static-program.ts";
import { unpackImage } from "../../examples/demo-image/unpack.ts";
import { totalBytes } from "../../examples/registry-client/content.ts";
import { imageLayout } from "../../examples/registry-client/image-layout.ts";
import { pullImage } from "../../examples/registry-client/pull-image.ts";
import { pushImage } from "../../examples/registry-client/push-image.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { type Arrival, watchArrival } from "./arrival.ts";
import {
  bytesSent,
  type ConnectedRegion,
  connectRegion,
  expectGone,
  expectReplication,
  putRule,
} from "./connected-region.ts";
import type { Regions } from "./regions.ts";
import { formatBytes, formatDuration, type Terminal } from "./terminal.ts";

const repository = "portolan/demo";
const filter = "portolan/";
const arrivalLimitMilliseconds = 30_000;
const architectureHere: Architecture = process.arch === "arm64" ? "arm64" : "amd64";

export interface DemoOptions {
  /** The checkout. */
  readonly root: string;
  readonly regions: Regions;
  readonly screen: Terminal;
  /** For the pulled image. */
  readonly directory: string;
}

/** A push and what became of it. */
interface Journey {
  readonly tag: string;
  readonly image: DemoImage;
  readonly from: ConnectedRegion;
  /** What the source had sent to each destination before. */
  readonly sentBefore: ReadonlyMap<ConnectedRegion, number>;
  readonly uploadedBytes: number;
  readonly pushMilliseconds: number;
  /** The reading of `performance.now()` when the registry had answered 201 to the tag. */
  readonly acknowledged: number;
  /** For each other region, from the 201 to the first answer with the right digest. */
  readonly lags: Map<string, string>;
}

export async function demo({ root, regions, screen, directory }: DemoOptions): Promise<void> {
  screen.plain(
    `${screen.paint("bold", "Portolan")}  push once, pull in every region  ${screen.paint("dim", "(Ctrl-C ends the demo and leaves nothing behind)")}`,
  );

  screen.step("Three regions start: three processes that share nothing");
  const connected = await Promise.all(regions.all.map((region) => connectRegion(region, regions)));
  for (const { name, process, startMilliseconds } of connected) {
    screen.done(
      `${name}   ${process.endpoint}   process ${process.pid}   ready in ${formatDuration(startMilliseconds)}`,
    );
  }
  const [first, second, third] = connected;
  if (first === undefined || second === undefined || third === undefined) {
    throw new Error("the demo needs three regions");
  }

  screen.step("Rules say where images go, through the Amazon ECR API");
  for (const region of connected) {
    const others = connected.filter((other) => other !== region);
    await putRule(region, others, filter);
    screen.done(
      `PutReplicationConfiguration   ${region.name} -> ${others.map(({ name }) => name).join(", ")}   ${filter}*`,
    );
  }

  screen.step("An image is built that runs: linux/amd64 and linux/arm64, without docker");
  const runtime = await bunRuntimeFiles(process.execPath, process);
  const base = demoImageBase(await projectDocuments(root), runtime);
  const build = (version: string) => buildDemoImage({ version, clock: systemClock, base });
  const image = build("1.0.0");
  showLayers(image, screen);

  screen.step(`${repository}:1.0.0 is pushed to ${first.name}, and only there`);
  const journey = await push(first, "1.0.0", image, [second, third], screen);
  await arrive(journey, [second, third], screen);
  for (const other of [second, third]) await expectStatus(first, other, "1.0.0", "COMPLETE");
  screen.done(`DescribeImageReplicationStatus   ${second.name} COMPLETE, ${third.name} COMPLETE`);

  screen.step(`${first.name} is killed (SIGKILL), and ${second.name} serves the image`);
  await first.process.kill();
  await expectGone(first);
  screen.done(`${first.name} is gone: connection refused`);
  await pullAndRun(second, journey, directory, screen);

  screen.step(`Meanwhile a new version is pushed to ${second.name}`);
  const update = await push(second, "1.0.1", build("1.0.1"), [first, third], screen);
  await arrive(update, [third], screen);
  await expectStatus(second, first, "1.0.1", "IN_PROGRESS");
  screen.done(`DescribeImageReplicationStatus   ${first.name} IN_PROGRESS: it waits in the queue`);

  screen.step(`${first.name} is started again`);
  const readyMilliseconds = await first.process.start();
  const restored = performance.now();
  const kept = await first.registry.headManifest(repository, "1.0.0");
  if (kept?.digest !== image.root.digest) throw new Error(`${first.name} has lost 1.0.0`);
  screen.done(
    `${first.name} is ready after ${formatDuration(readyMilliseconds)} and still has 1.0.0`,
  );
  await arrive(update, [first], screen, restored);
  await expectStatus(second, first, "1.0.1", "COMPLETE");
  screen.done(`DescribeImageReplicationStatus   ${first.name} COMPLETE`);
  await expectEqual(connected, [journey, update], screen);

  screen.step("What was measured: from the 201 of the push until the tag could be pulled");
  showTable([journey, update], connected, screen);
}

function showLayers(image: DemoImage, screen: Terminal): void {
  for (const layer of image.layers) {
    screen.done(
      `${layer.name.padEnd(10)} ${layer.architectures.join(" and ").padEnd(16)} ${formatBytes(layer.uncompressedBytes).padStart(9)} -> ${formatBytes(layer.content.size).padStart(8)}   ${layer.content.digest.slice(0, 19)}`,
    );
  }
  if (!image.layers.some(({ name }) => name === "runtime")) {
    screen.note(
      "no layer with the Bun runtime: this machine is not Linux, its Bun runs nowhere else",
    );
  }
}

const expectStatus = (
  source: ConnectedRegion,
  destination: ConnectedRegion,
  tag: string,
  status: "IN_PROGRESS" | "COMPLETE",
) =>
  expectReplication({
    source,
    destination,
    repository,
    tag,
    status,
    limitMilliseconds: arrivalLimitMilliseconds,
  });

async function push(
  from: ConnectedRegion,
  tag: string,
  image: DemoImage,
  destinations: readonly ConnectedRegion[],
  screen: Terminal,
): Promise<Journey> {
  const total = totalBytes(image);
  const sentBefore = new Map<ConnectedRegion, number>();
  for (const destination of destinations) {
    sentBefore.set(destination, await bytesSent(from, destination));
  }
  const started = performance.now();
  let sentBytes = 0;
  const pushing = pushImage(from.registry, repository, tag, image, (bytes) => {
    sentBytes += bytes;
  });
  const report = await screen.live(
    () => [`${screen.bar(sentBytes / total)}  ${formatBytes(sentBytes)} of ${formatBytes(total)}`],
    pushing,
  );
  const acknowledged = performance.now();
  const pushMilliseconds = acknowledged - started;
  const present = report.blobsPresent > 0 ? `, ${report.blobsPresent} were there already` : "";
  screen.done(
    `201 Created   ${formatBytes(report.bytesUploaded)} in ${formatDuration(pushMilliseconds)}   ${report.blobsUploaded} blobs sent${present}`,
  );
  return {
    tag,
    image,
    from,
    sentBefore,
    uploadedBytes: report.bytesUploaded,
    pushMilliseconds,
    acknowledged,
    lags: new Map([[from.name, "pushed here"]]),
  };
}

/** @param restored when the destinations came back, for a lag that counts from there */
async function arrive(
  journey: Journey,
  destinations: readonly ConnectedRegion[],
  screen: Terminal,
  restored?: number,
): Promise<void> {
  const { image, tag } = journey;
  const started = restored ?? journey.acknowledged;
  const watches = destinations.map((destination) =>
    watchArrival({
      client: destination.registry,
      region: destination.name,
      repository,
      tag,
      image,
      sentBytes: async () =>
        (await bytesSent(journey.from, destination)) - (journey.sentBefore.get(destination) ?? 0),
      started,
      deadlineMilliseconds: arrivalLimitMilliseconds,
    }),
  );
  const lines = () => watches.map(({ arrival }) => arrivalLine(arrival, journey, started, screen));
  await screen.live(lines, Promise.all(watches.map(({ finished }) => finished)));
  for (const { arrival } of watches) {
    const lag = formatDuration(arrival.lagMilliseconds ?? Number.NaN);
    journey.lags.set(arrival.region, restored === undefined ? lag : `${lag} after its return`);
    screen.done(
      `${arrival.region}   ${tag} can be pulled ${lag} after ${restored === undefined ? "the 201" : "its return"}`,
    );
  }
}

function arrivalLine(
  arrival: Arrival,
  { image, uploadedBytes }: Journey,
  started: number,
  screen: Terminal,
): string {
  const done = arrival.lagMilliseconds !== undefined;
  return [
    arrival.region,
    screen.bar(done ? 1 : arrival.sentBytes / uploadedBytes),
    done
      ? "arrived"
      : `${formatBytes(arrival.sentBytes)} sent, ${arrival.arrivedBlobs} of ${image.blobs.length} blobs there`,
    formatDuration(arrival.lagMilliseconds ?? performance.now() - started),
  ].join("   ");
}

async function pullAndRun(
  region: ConnectedRegion,
  { tag, image }: Journey,
  directory: string,
  screen: Terminal,
): Promise<void> {
  const layout = imageLayout(join(directory, "pulled"));
  const total = totalBytes(image);
  let receivedBytes = 0;
  const started = performance.now();
  const report = await screen.live(
    () => [
      `${screen.bar(receivedBytes / total)}  ${formatBytes(receivedBytes)} of ${formatBytes(total)}`,
    ],
    pullImage(region.registry, repository, tag, layout, (bytes) => {
      receivedBytes += bytes;
    }),
  );
  if (report.root.digest !== image.root.digest) {
    throw new Error(`${region.name} served ${report.root.digest}, not ${image.root.digest}`);
  }
  screen.done(
    `pulled from ${region.name}   ${formatBytes(report.bytes)} in ${formatDuration(performance.now() - started)}   ${report.manifests} manifests and ${report.blobs} blobs, every digest verified`,
  );
  const files = join(directory, "files");
  const program = await unpackImage(layout, report.root.digest, architectureHere, files);
  if (process.platform !== "linux") {
    screen.note("its program was not run: it is made for Linux, and this machine is not");
    return;
  }
  const run = Bun.spawnSync([program]);
  const output = run.stdout.toString();
  if (run.exitCode !== 0 || output !== image.greetings.get(architectureHere)) {
    throw new Error(`the image's program ended with ${run.exitCode} and said '${output}'`);
  }
  screen.done(`run   ${output.trim()}`);
}

/** Every tag has the same digest in every region. */
async function expectEqual(
  connected: readonly ConnectedRegion[],
  journeys: readonly Journey[],
  screen: Terminal,
): Promise<void> {
  for (const { tag, image } of journeys) {
    for (const { name, registry } of connected) {
      const found = await registry.headManifest(repository, tag);
      if (found?.digest !== image.root.digest) {
        throw new Error(`${name} has ${found?.digest ?? "nothing"} as ${tag}`);
      }
    }
    screen.done(`${tag} is ${image.root.digest.slice(0, 19)} in all ${connected.length} regions`);
  }
}

function showTable(
  journeys: readonly Journey[],
  connected: readonly ConnectedRegion[],
  screen: Terminal,
): void {
  screen.table([
    ["image", "size", "sent", "push took", ...connected.map(({ name }) => name)],
    ...journeys.map((journey) => [
      `${repository}:${journey.tag}`,
      formatBytes(totalBytes(journey.image)),
      formatBytes(journey.uploadedBytes),
      formatDuration(journey.pushMilliseconds),
      ...connected.map(({ name }) => journey.lags.get(name) ?? "not there"),
    ]),
  ]);
}

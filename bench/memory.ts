/**
 * Resident memory of the server while one client uploads a large blob and another, slow one
 * downloads it.
 *
 *   npm run bench:memory -- --gibibytes 5 --directory DIR
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startUpload } from "./load.ts";
import { type BenchServer, portolan } from "./server.ts";

const { values } = parseArgs({
  options: {
    gibibytes: { type: "string", default: "5" },
    directory: { type: "string", default: tmpdir() },
  },
});
const barMegabytes = 150;
const bytes = Number(values.gibibytes) * 1024 ** 3;
const repository = "bench/memory";

const root = await mkdtemp(join(values.directory, "portolan-bench-"));
const server = await portolan(join(root, "portolan"));
let peakBytes = 0;
const sampling = setInterval(async () => {
  peakBytes = Math.max(peakBytes, await residentBytes());
}, 50);
try {
  const idle = await residentBytes();
  const first = await upload(0, bytes);
  const afterUpload = peakBytes;
  peakBytes = 0;
  const slow = download(first, 40 * 1024 ** 2);
  await upload(1, bytes);
  slow.kill();
  await slow.exited;
  console.log(`resident memory, ${values.gibibytes} GiB blob, bar ${barMegabytes} MB`);
  console.log(`  idle                                      ${megabytes(idle)} MB`);
  console.log(`  peak while uploading                      ${megabytes(afterUpload)} MB`);
  console.log(
    `  peak while uploading, slow download beside ${megabytes(peakBytes)} MB  ${peakBytes < barMegabytes * 1e6 ? "met" : "MISSED"}`,
  );
} finally {
  clearInterval(sampling);
  await server.stop();
  await rm(root, { recursive: true, force: true });
}

function megabytes(count: number): string {
  return (count / 1e6).toFixed(0).padStart(4);
}

async function residentBytes(): Promise<number> {
  const status = await Bun.file(`/proc/${server.pid}/status`).text();
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** Bytes that are never in a file of ours: a serial number, then zeros. */
function content(serial: number, length: number): string {
  return `(printf '%016d' ${serial}; head -c ${length - 16} /dev/zero)`;
}

async function upload(serial: number, length: number): Promise<string> {
  const source = content(serial, length);
  const digest = `sha256:${(await Bun.$`sh -c ${`${source} | sha256sum`}`.text()).split(" ")[0]}`;
  const location = await startUpload(server, repository);
  const authorization = server.headers.authorization ?? "";
  const command = `${source} | curl -sS -o /dev/null -w '%{http_code}' -H 'Expect:' -H "Authorization: ${authorization}" -X PATCH -T - '${location}'`;
  const patched = (await Bun.$`sh -c ${command}`.text()).trim();
  const put = await fetch(`${location}digest=${digest}`, {
    method: "PUT",
    headers: server.headers,
    signal: AbortSignal.timeout(600_000),
  });
  if (patched !== "202" || put.status !== 201) throw new Error(`upload: ${patched} ${put.status}`);
  return digest;
}

function download(digest: string, bytesPerSecond: number): ReturnType<typeof Bun.spawn> {
  const { url, headers }: BenchServer = server;
  return Bun.spawn(
    [
      ...["curl", "-sS", "-o", "/dev/null", "--limit-rate", String(bytesPerSecond)],
      ...["-H", `Authorization: ${headers.authorization}`],
      `${url}/v2/${repository}/blobs/${digest}`,
    ],
    { stdout: "ignore", stderr: "ignore" },
  );
}

/** What is done to a registry: by curl and wrk where bytes or requests per second are counted. */
import { open } from "node:fs/promises";
import type { BenchServer } from "./server.ts";

export const sha256 = (bytes: Uint8Array) =>
  `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;

export async function startUpload(server: BenchServer, repository: string): Promise<string> {
  const response = await fetch(`${server.url}/v2/${repository}/blobs/uploads/`, {
    method: "POST",
    headers: server.headers,
  });
  const location = response.headers.get("location");
  if (response.status !== 202 || location === null) throw new Error(`POST: ${response.status}`);
  const url = new URL(location, server.url);
  return `${url}${url.search === "" ? "?" : "&"}`;
}

export async function pushBlob(
  server: BenchServer,
  repository: string,
  bytes: Uint8Array<ArrayBuffer>,
  digest = sha256(bytes),
): Promise<string> {
  const location = await startUpload(server, repository);
  const response = await fetch(`${location}digest=${digest}`, {
    method: "PUT",
    headers: { ...server.headers, "content-type": "application/octet-stream" },
    body: bytes,
  });
  if (response.status !== 201) throw new Error(`PUT blob: ${response.status}`);
  return digest;
}

/** One image: a layer, a config and a manifest with a tag. */
export async function pushImage(
  server: BenchServer,
  repository: string,
  tag: string,
  layer: Uint8Array<ArrayBuffer>,
  layerDigest?: string,
): Promise<void> {
  const config = new TextEncoder().encode(
    JSON.stringify({ architecture: "amd64", os: "linux", config: { Labels: { tag } } }),
  );
  const [layerDescriptor, configDescriptor] = [
    {
      mediaType: "application/vnd.oci.image.layer.v1.tar",
      digest: await pushBlob(server, repository, layer, layerDigest),
      size: layer.byteLength,
    },
    {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: await pushBlob(server, repository, config),
      size: config.byteLength,
    },
  ];
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const response = await fetch(`${server.url}/v2/${repository}/manifests/${tag}`, {
    method: "PUT",
    headers: { ...server.headers, "content-type": mediaType },
    body: JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: configDescriptor,
      layers: [layerDescriptor],
    }),
  });
  if (response.status !== 201) throw new Error(`PUT manifest: ${response.status}`);
}

/** Seconds for the PUT of a file, as curl saw it. */
export async function curlPut(
  server: BenchServer,
  repository: string,
  file: string,
  digest: string,
) {
  const location = await startUpload(server, repository);
  return curl(server, ["-H", "Expect:", "-T", file, `${location}digest=${digest}`], 201);
}

export const curlGet = (server: BenchServer, path: string) =>
  curl(server, [`${server.url}${path}`], 200);

/** Seconds for the same bytes without any registry: the disk's own limit, fsync included. */
export async function writeAndSync(file: string, bytes: Uint8Array): Promise<number> {
  const begin = performance.now();
  const handle = await open(file, "w");
  try {
    await handle.write(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return (performance.now() - begin) / 1000;
}

async function curl(server: BenchServer, parameters: string[], status: number): Promise<number> {
  const headers = Object.entries(server.headers).flatMap(([name, value]) => [
    "-H",
    `${name}: ${value}`,
  ]);
  const format = "%{http_code} %{time_total}";
  const output = await Bun.$`curl -sS -o /dev/null -w ${format} ${headers} ${parameters}`.text();
  const [code, seconds] = output.trim().split(" ");
  if (Number(code) !== status) throw new Error(`${server.name}: curl got ${code}`);
  return Number(seconds);
}

export interface WrkResult {
  readonly requestsPerSecond: number;
  readonly p99Milliseconds: number;
}

export async function wrk(
  server: BenchServer,
  path: string,
  { connections, seconds }: { connections: number; seconds: number },
): Promise<WrkResult> {
  // docker-registry answers 404 to whoever does not name the OCI type.
  const accept = "application/vnd.oci.image.manifest.v1+json";
  const headers = Object.entries({ ...server.headers, accept }).flatMap(([name, value]) => [
    "-H",
    `${name}: ${value}`,
  ]);
  const output =
    await Bun.$`wrk -t1 -c${connections} -d${seconds}s --latency ${headers} ${server.url}${path}`.text();
  if (/Non-2xx|Socket errors: .*(?:read|timeout) [1-9]/.test(output)) {
    throw new Error(`${server.name}: wrk saw errors\n${output}`);
  }
  return {
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]),
    p99Milliseconds: milliseconds(/99%\s+([\d.]+[a-z]+)/.exec(output)?.[1] ?? ""),
  };
}

function milliseconds(text: string): number {
  const match = /^([\d.]+)(us|ms|s)$/.exec(text);
  if (match === null) throw new Error(`wrk printed no latency: ${text}`);
  return Number(match[1]) * (match[2] === "us" ? 0.001 : match[2] === "s" ? 1000 : 1);
}

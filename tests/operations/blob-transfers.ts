/** Uploads and downloads by hand, for tests that interrupt them. */
import { createHash } from "node:crypto";
import { authorization, type ServerProcess } from "./portolan-process.ts";

export interface TestBlob {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digest: string;
}

/** Bytes that do not compress and do not repeat. */
export function testBlob(size: number, seed = "blob"): TestBlob {
  const bytes = new Uint8Array(size);
  let block = createHash("sha256").update(seed).digest();
  for (let offset = 0; offset < size; offset += block.length) {
    block = createHash("sha256").update(block).digest();
    bytes.set(block.subarray(0, Math.min(block.length, size - offset)), offset);
  }
  return { bytes, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` };
}

const headers = { authorization };

/** The path of a new upload session. */
export async function startUpload(server: ServerProcess, repository: string): Promise<string> {
  const response = await fetch(`${server.url}/v2/${repository}/blobs/uploads/`, {
    method: "POST",
    headers,
    tls: { rejectUnauthorized: false },
  });
  const location = response.headers.get("location");
  if (response.status !== 202 || location === null) {
    throw new Error(`no upload session: ${response.status} ${await response.text()}`);
  }
  return location;
}

export async function pushBlob(
  server: ServerProcess,
  repository: string,
  { bytes, digest }: TestBlob,
): Promise<number> {
  const location = await startUpload(server, repository);
  const url = `${server.url}${location}${location.includes("?") ? "&" : "?"}digest=${digest}`;
  const response = await fetch(url, {
    method: "PUT",
    headers,
    body: bytes,
    tls: { rejectUnauthorized: false },
  });
  return response.status;
}

export async function pullBlob(
  server: ServerProcess,
  repository: string,
  digest: string,
): Promise<Uint8Array> {
  const response = await fetch(`${server.url}/v2/${repository}/blobs/${digest}`, {
    headers,
    tls: { rejectUnauthorized: false },
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response.bytes();
}

/** Questions to the server's request log: what a client sent, and what it did not have to send. */
import type { RequestLogEntry } from "./server-process.ts";

/** Blobs that came through the wire into a repository. */
export function uploadedBlobs(requests: readonly RequestLogEntry[], repository: string): string[] {
  return digestParameters(requests, repository, "digest", ["PUT", "POST"]);
}

/** Blobs that were taken from another repository without being sent. */
export function mountedBlobs(requests: readonly RequestLogEntry[], repository: string): string[] {
  return digestParameters(requests, repository, "mount", ["POST"]);
}

function digestParameters(
  requests: readonly RequestLogEntry[],
  repository: string,
  parameter: string,
  methods: readonly string[],
): string[] {
  const prefix = `/v2/${repository}/blobs/uploads/`;
  return requests.flatMap(({ method, path, status }) => {
    if (status !== 201 || !methods.includes(method) || !path.startsWith(prefix)) return [];
    const digest = new URLSearchParams(path.slice(path.indexOf("?"))).get(parameter);
    return digest === null ? [] : [digest];
  });
}

/** Requests that only fetched a part of a blob, as a client does that resumes. */
export function partialReads(requests: readonly RequestLogEntry[], repository: string) {
  return requests.filter(
    ({ method, path, status }) =>
      method === "GET" && status === 206 && path.startsWith(`/v2/${repository}/blobs/`),
  );
}

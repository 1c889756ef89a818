/**
 * The table of endpoints, in the order of the specification. Router, permissions, metrics and
 * docs/reference/oci.md are all made from it.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#endpoints
 */
import type { Endpoint, Method } from "./endpoint.ts";
import { cancelUploadEndpoint } from "./endpoints/cancel-upload.ts";
import { deleteBlobEndpoint } from "./endpoints/delete-blob.ts";
import { deleteManifestEndpoint } from "./endpoints/delete-manifest.ts";
import { discoverExtensions } from "./endpoints/discover-extensions.ts";
import { finishUploadEndpoint } from "./endpoints/finish-upload.ts";
import { getBlob } from "./endpoints/get-blob.ts";
import { getManifest } from "./endpoints/get-manifest.ts";
import { getReferrers } from "./endpoints/get-referrers.ts";
import { getUpload } from "./endpoints/get-upload.ts";
import { headBlob } from "./endpoints/head-blob.ts";
import { headManifest } from "./endpoints/head-manifest.ts";
import { listCatalog } from "./endpoints/list-catalog.ts";
import { listTagsEndpoint } from "./endpoints/list-tags.ts";
import { patchUpload } from "./endpoints/patch-upload.ts";
import { ping } from "./endpoints/ping.ts";
import { putManifest } from "./endpoints/put-manifest.ts";
import { startUploadEndpoint } from "./endpoints/start-upload.ts";
import type { Route } from "./path.ts";

export const endpoints: readonly Endpoint[] = [
  ping,
  getBlob,
  headBlob,
  getManifest,
  headManifest,
  startUploadEndpoint,
  patchUpload,
  finishUploadEndpoint,
  putManifest,
  listTagsEndpoint,
  deleteManifestEndpoint,
  deleteBlobEndpoint,
  getReferrers,
  getUpload,
  cancelUploadEndpoint,
  listCatalog,
  discoverExtensions,
];

const table = new Map<Route, Map<string, Endpoint>>();
for (const endpoint of endpoints) {
  const methods = table.get(endpoint.route) ?? new Map<string, Endpoint>();
  methods.set(endpoint.method, endpoint);
  table.set(endpoint.route, methods);
}

/** What can be got can be asked for with HEAD; the handler leaves the body out. */
export function findEndpoint(route: Route, method: string): Endpoint | undefined {
  const methods = table.get(route);
  return methods?.get(method) ?? (method === "HEAD" ? methods?.get("GET") : undefined);
}

export function allowedMethods(route: Route): readonly Method[] {
  const methods = endpoints.filter((endpoint) => endpoint.route === route).map((e) => e.method);
  return methods.includes("GET") && !methods.includes("HEAD") ? ["HEAD", ...methods] : methods;
}

/**
 * URLs that the registry hands out. They are relative, which no proxy in front can break; a base
 * URL can be configured for clients that do not resolve relative locations.
 */

export const blobLocation = (repository: string, digest: string) =>
  `/v2/${repository}/blobs/${digest}`;
export const manifestLocation = (repository: string, digest: string) =>
  `/v2/${repository}/manifests/${digest}`;
export const uploadLocation = (repository: string, uploadId: string) =>
  `/v2/${repository}/blobs/uploads/${uploadId}`;

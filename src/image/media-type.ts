/** Media types of manifests: OCI's, Docker's, and the two that are refused. */

export const mediaTypes = {
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociArtifact: "application/vnd.oci.artifact.manifest.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerSchema1: "application/vnd.docker.distribution.manifest.v1+json",
  dockerSchema1Signed: "application/vnd.docker.distribution.manifest.v1+prettyjws",
} as const;

const indexes: ReadonlySet<string> = new Set([mediaTypes.ociIndex, mediaTypes.dockerList]);
const manifests: ReadonlySet<string> = new Set([
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
  mediaTypes.ociArtifact,
  mediaTypes.ociIndex,
  mediaTypes.dockerList,
]);
const schema1: ReadonlySet<string> = new Set([
  mediaTypes.dockerSchema1,
  mediaTypes.dockerSchema1Signed,
]);

/**
 * Layers that a registry need not hold: the client fetches them from their `urls`.
 * https://github.com/opencontainers/image-spec/blob/main/layer.md#non-distributable-layers
 */
const nonDistributable =
  /^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.v1\.tar|docker\.image\.rootfs\.foreign\.diff\.tar)/;

/** The type as sent, without parameters and surrounding space. */
export function mediaTypeWithoutParameters(header: string): string {
  const end = header.indexOf(";");
  return (end < 0 ? header : header.slice(0, end)).trim();
}

export const isIndexType = (type: string): boolean => indexes.has(type);
export const isManifestType = (type: string): boolean => manifests.has(type);
export const isSchema1Type = (type: string): boolean => schema1.has(type);
export const isNonDistributableType = (type: string): boolean => nonDistributable.test(type);

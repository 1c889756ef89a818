/** A registry whose prefix `cache` is filled from an upstream, with a client for its /v2/. */
import { CreatePullThroughCacheRuleCommand } from "@aws-sdk/client-ecr";
import { type Digest, digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { type AwsEndpoint, startAwsEndpoint } from "./aws-endpoint.ts";
import { ecrClient } from "./ecr-client.ts";

export interface CacheWorld extends AsyncDisposable {
  readonly endpoint: AwsEndpoint;
  readonly ecr: ReturnType<typeof ecrClient>;
  /** A request to /v2/ with the root credentials. */
  pull(path: string, init?: RequestInit): Promise<Response>;
}

export async function cacheWorld(
  upstreamHost: string,
  options: { clock?: Clock; withoutRule?: boolean } = {},
): Promise<CacheWorld> {
  const { clock } = options;
  const endpoint = await startAwsEndpoint({
    insecureUpstreams: [upstreamHost],
    ...(clock !== undefined && { clock }),
  });
  const ecr = ecrClient(endpoint);
  if (!options.withoutRule) {
    await ecr.send(
      new CreatePullThroughCacheRuleCommand({
        ecrRepositoryPrefix: "cache",
        upstreamRegistryUrl: upstreamHost,
      }),
    );
  }
  const { id, secretAccessKey } = endpoint.root;
  const authorization = `Basic ${btoa(`${id}:${secretAccessKey}`)}`;
  return {
    endpoint,
    ecr,
    pull: (path, init = {}) =>
      fetch(`${endpoint.url}${path}`, {
        ...init,
        headers: { authorization, ...(init.headers as Record<string, string> | undefined) },
      }),
    async [Symbol.asyncDispose]() {
      ecr.destroy();
      await endpoint[Symbol.asyncDispose]();
    },
  };
}

export interface UpstreamImage {
  readonly repository: string;
  readonly tags: Record<string, Digest>;
  readonly manifests: Map<string, { mediaType: string; bytes: Uint8Array }>;
  readonly blobs: Map<string, Uint8Array>;
  readonly digest: Digest;
  readonly layer: Digest;
}

/** An image of one layer, tagged. */
export function upstreamImage(repository: string, tag: string, layer: Uint8Array): UpstreamImage {
  const config = new TextEncoder().encode(
    JSON.stringify({ architecture: "amd64", os: "linux", tag }),
  );
  const descriptor = (mediaType: string, bytes: Uint8Array) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  });
  const bytes = new TextEncoder().encode(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: descriptor("application/vnd.oci.image.config.v1+json", config),
      layers: [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
    }),
  );
  const digest = digestOf(bytes);
  return {
    repository,
    tags: { [tag]: digest },
    manifests: new Map([[digest, { mediaType: mediaTypes.ociManifest, bytes }]]),
    blobs: new Map([config, layer].map((blob) => [digestOf(blob), blob])),
    digest,
    layer: digestOf(layer),
  };
}

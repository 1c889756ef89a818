/**
 * The OCI Distribution protocol without comfort: one function per request, every answer checked for
 * what the specification promises, nothing negotiated or repaired. What real clients pushed is read
 * back through it, and synthetic images are pushed with it.
 */
import { expect } from "bun:test";
import { type Digest, digestAlgorithm, digestOf, parseDigest } from "../../src/image/digest.ts";
import { parseManifest } from "../../src/image/manifest.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

export interface PulledManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Bytes;
}

/** An image with everything under it, every digest recomputed. */
export interface VerifiedImage {
  readonly digest: Digest;
  readonly mediaType: string;
  /** All manifests and blobs, the root first. */
  readonly digests: readonly Digest[];
  readonly sizeBytes: number;
}

export interface RegistryConnection {
  /** @param path from `/v2/` on, or a Location */
  send(method: string, path: string, init?: RequestInit): Promise<Response>;
  pushBlob(repository: string, digest: Digest, bytes: Bytes): Promise<void>;
  /** @returns the answer, for its headers and for pushes that are refused */
  putManifest(
    repository: string,
    reference: string,
    bytes: Bytes,
    mediaType: string,
  ): Promise<Response>;
  /** @throws unless it is there, and is what its digest says */
  getManifest(repository: string, reference: string): Promise<PulledManifest>;
  getBlob(repository: string, digest: Digest): Promise<Bytes>;
  /** Undefined when there is no such tag or manifest. */
  findDigest(repository: string, reference: string): Promise<Digest | undefined>;
  listTags(repository: string): Promise<string[]>;
  listReferrers(repository: string, digest: Digest): Promise<ReferrerDescriptor[]>;
  /** Pulls the whole image. Content that is neither required nor there is left out. */
  verifyImage(repository: string, reference: string): Promise<VerifiedImage>;
}

export interface ReferrerDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** @param fetcher answers the requests: the network, unless a server inside the process is tested */
export function connectRegistry(
  endpoint: string,
  authorization: string,
  fetcher: (request: Request) => Promise<Response> = (request) => fetch(request),
): RegistryConnection {
  const send = (method: string, path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set("authorization", authorization);
    return fetcher(new Request(new URL(path, endpoint), { ...init, method, headers }));
  };

  const connection: RegistryConnection = {
    send,

    async pushBlob(repository, digest, bytes) {
      const started = await send("POST", `/v2/${repository}/blobs/uploads/`);
      await expectStatus(started, 202);
      const location = new URL(started.headers.get("location") ?? "", endpoint);
      location.searchParams.set("digest", digest);
      const finished = await send("PUT", location.href, {
        body: bytes,
        headers: { "content-type": "application/octet-stream" },
      });
      await expectStatus(finished, 201);
      expect(finished.headers.get("docker-content-digest")).toBe(digest);
    },

    putManifest: (repository, reference, bytes, mediaType) =>
      send("PUT", `/v2/${repository}/manifests/${reference}`, {
        body: bytes,
        headers: mediaType === "" ? {} : { "content-type": mediaType },
      }),

    async getManifest(repository, reference) {
      const response = await send("GET", `/v2/${repository}/manifests/${reference}`);
      await expectStatus(response, 200);
      const digest = parseDigest(response.headers.get("docker-content-digest") ?? "");
      if (digest === undefined) throw new Error("no Docker-Content-Digest");
      if (reference.includes(":")) expect(digest).toBe(reference as Digest);
      const bytes = await response.bytes();
      expect(digestOf(bytes, digestAlgorithm(digest))).toBe(digest);
      expect(response.headers.get("content-length")).toBe(String(bytes.length));
      return { digest, bytes, mediaType: response.headers.get("content-type") ?? "" };
    },

    async getBlob(repository, digest) {
      const response = await send("GET", `/v2/${repository}/blobs/${digest}`);
      await expectStatus(response, 200);
      const bytes = await response.bytes();
      expect(digestOf(bytes, digestAlgorithm(digest))).toBe(digest);
      return bytes;
    },

    async findDigest(repository, reference) {
      const response = await send("HEAD", `/v2/${repository}/manifests/${reference}`);
      if (response.status === 404) return undefined;
      await expectStatus(response, 200);
      return parseDigest(response.headers.get("docker-content-digest") ?? "");
    },

    async listTags(repository) {
      const tags: string[] = [];
      let path: string | undefined = `/v2/${repository}/tags/list`;
      while (path !== undefined) {
        const response: Response = await send("GET", path);
        await expectStatus(response, 200);
        tags.push(...((await response.json()) as { tags: string[] }).tags);
        path = nextPage(response);
      }
      return tags;
    },

    async listReferrers(repository, digest) {
      const referrers: ReferrerDescriptor[] = [];
      let path: string | undefined = `/v2/${repository}/referrers/${digest}`;
      while (path !== undefined) {
        const response: Response = await send("GET", path);
        await expectStatus(response, 200);
        referrers.push(
          ...((await response.json()) as { manifests: ReferrerDescriptor[] }).manifests,
        );
        path = nextPage(response);
      }
      return referrers;
    },

    async verifyImage(repository, reference) {
      const sizes = new Map<Digest, number>();
      const root = await connection.getManifest(repository, reference);
      const waiting = [root];
      for (let manifest = waiting.shift(); manifest !== undefined; manifest = waiting.shift()) {
        sizes.set(manifest.digest, manifest.bytes.length);
        for (const one of parseManifest(manifest.bytes, manifest.mediaType).references) {
          const digest = parseDigest(one.digest);
          if (!one.required || digest === undefined || sizes.has(digest)) continue;
          const isManifest =
            one.role === "manifest" && (await connection.findDigest(repository, digest));
          if (isManifest) {
            waiting.push(await connection.getManifest(repository, digest));
          } else {
            const bytes = await connection.getBlob(repository, digest);
            expect(bytes.length).toBe(one.size);
            sizes.set(digest, bytes.length);
          }
        }
      }
      return {
        digest: root.digest,
        mediaType: root.mediaType,
        digests: [...sizes.keys()],
        sizeBytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
      };
    },
  };
  return connection;
}

async function expectStatus(response: Response, status: number): Promise<void> {
  if (response.status === status) return;
  const body = (await response.text()).slice(0, 1000);
  throw new Error(`${response.url} answered ${response.status}, not ${status}: ${body}`);
}

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags */
function nextPage(response: Response): string | undefined {
  return /^<([^>]+)>;\s*rel="?next"?$/.exec(response.headers.get("link") ?? "")?.[1];
}

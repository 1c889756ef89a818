/** Images as clients push them, over HTTP. */
import { digestOf } from "../../src/image/digest.ts";
import { type Bytes, connectRegistry } from "../support/registry-connection.ts";
import type { ServerProcess } from "../support/server-process.ts";

const manifestType = "application/vnd.oci.image.manifest.v1+json";

function bytesOf(value: object | string): Bytes {
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}

function descriptor(mediaType: string, bytes: Bytes) {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
}

export interface PushedImage {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface ImageToPush {
  readonly repository: string;
  /** Absent: by digest. */
  readonly tag?: string;
  readonly config?: object;
  readonly layers?: readonly string[];
  readonly subject?: PushedImage;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export async function pushTo(server: ServerProcess, image: ImageToPush): Promise<PushedImage> {
  const connection = connectRegistry(server.endpoint, server.authorization);
  const { repository, tag, subject, artifactType, annotations } = image;
  const config = bytesOf(image.config ?? { of: tag ?? repository });
  const layers = (image.layers ?? ["layer"]).map(bytesOf);
  for (const bytes of [config, ...layers]) {
    await connection.pushBlob(repository, digestOf(bytes), bytes);
  }
  const manifest = bytesOf({
    schemaVersion: 2,
    mediaType: manifestType,
    ...(artifactType !== undefined && { artifactType }),
    config: descriptor("application/vnd.oci.image.config.v1+json", config),
    layers: layers.map((bytes) => descriptor("application/vnd.oci.image.layer.v1.tar", bytes)),
    ...(subject !== undefined && { subject }),
    ...(annotations !== undefined && { annotations }),
  });
  const pushed = descriptor(manifestType, manifest);
  const reference = tag ?? pushed.digest;
  const answer = await connection.putManifest(repository, reference, manifest, manifestType);
  if (answer.status !== 201) throw new Error(await answer.text());
  return pushed;
}

export async function pushIndexTo(
  server: ServerProcess,
  repository: string,
  tag: string,
  manifests: readonly (PushedImage & { readonly platform: object })[],
): Promise<PushedImage> {
  const connection = connectRegistry(server.endpoint, server.authorization);
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const bytes = bytesOf({ schemaVersion: 2, mediaType, manifests });
  const answer = await connection.putManifest(repository, tag, bytes, mediaType);
  if (answer.status !== 201) throw new Error(await answer.text());
  return descriptor(mediaType, bytes);
}

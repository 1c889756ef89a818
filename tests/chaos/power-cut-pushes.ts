/** Pushes whose answers can be found again in a trace of the server, by their request ids. */
import { digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import { noise } from "../support/push-image.ts";

export interface Acknowledgement {
  readonly kind: "manifest" | "tag deleted";
  readonly requestId: string;
  readonly repository: string;
  readonly digest: string;
  readonly tag: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface PushOptions {
  readonly endpoint: string;
  readonly authorization: string;
  /** Nobody else writes to it. */
  readonly repository: string;
  /** The rounds of this call: `from`, and those up to `to`. */
  readonly from: number;
  readonly to: number;
  /** Long manifests fill the database's log, so that it is copied and begun anew. */
  readonly paddingBytes: number;
}

/**
 * Each round pushes a blob in each form of upload, one that nobody will need, an image with a tag of
 * its own, and moves a tag to the image.
 * @returns what was answered with 201, in order
 */
export async function pushRounds(options: PushOptions): Promise<Acknowledgement[]> {
  const { endpoint, authorization, repository } = options;
  const acknowledgements: Acknowledgement[] = [];

  async function send(
    method: string,
    path: string,
    status: number,
    init: { body?: Uint8Array<ArrayBuffer>; headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const response = await fetch(new URL(path, endpoint), {
      method,
      ...init,
      headers: { authorization, ...init.headers },
    });
    await response.arrayBuffer();
    if (response.status !== status) throw new Error(`${method} ${path}: ${response.status}`);
    return response;
  }

  const uploads = `/v2/${repository}/blobs/uploads/`;
  const begin = async () => (await send("POST", uploads, 202)).headers.get("location") ?? "";

  async function pushBlob(form: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const digest = digestOf(bytes);
    if (form === 0) {
      await send("POST", `${uploads}?digest=${digest}`, 201, { body: bytes });
    } else if (form === 1) {
      await send("PUT", `${await begin()}?digest=${digest}`, 201, { body: bytes });
    } else {
      const location = await begin();
      const middle = bytes.length >> 1;
      for (const [start, end] of [
        [0, middle],
        [middle, bytes.length],
      ] as const) {
        await send("PATCH", location, 202, {
          body: bytes.slice(start, end),
          headers: { "content-range": `${start}-${end - 1}` },
        });
      }
      await send("PUT", `${location}?digest=${digest}`, 201);
    }
  }

  async function putManifest(tag: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const response = await send("PUT", `/v2/${repository}/manifests/${tag}`, 201, {
      body: bytes,
      headers: { "content-type": mediaTypes.ociManifest },
    });
    acknowledgements.push({
      kind: "manifest",
      requestId: response.headers.get("x-request-id") ?? "",
      repository,
      digest: digestOf(bytes),
      tag,
      bytes,
    });
  }

  for (let round = options.from; round < options.to; round++) {
    const blobs = [0, 1, 2].map((form) =>
      noise(`${repository} ${round} ${form}`, 500 + ((round * 977 + form * 4099) % 9000)),
    );
    for (const [form, bytes] of blobs.entries()) await pushBlob(form, bytes);
    await pushBlob(0, noise(`${repository} ${round} garbage`, 700));
    const manifest = manifestOf(blobs, options.paddingBytes);
    await putManifest(`v${round}`, manifest);
    await putManifest("latest", manifest);
  }
  return acknowledgements;
}

function manifestOf(blobs: readonly Uint8Array[], paddingBytes: number): Uint8Array<ArrayBuffer> {
  const [config, ...layers] = blobs.map((bytes, i) => ({
    mediaType: `application/vnd.oci.image.${i === 0 ? "config.v1+json" : "layer.v1.tar"}`,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  }));
  return new TextEncoder().encode(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config,
      layers,
      annotations: { padding: "-".repeat(paddingBytes) },
    }),
  );
}

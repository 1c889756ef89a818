/**
 * `GET /layers/<token>`: a layer by the URL that GetDownloadUrlForLayer gave out. It is not part of
 * the OCI specification.
 */
import { type LayerUrls, layerPath } from "../access/layer-urls.ts";
import { parseDigest } from "../image/digest.ts";
import type { RegistryContext } from "../registry/context.ts";
import { RegistryError } from "../registry/errors.ts";
import { readBlob } from "../registry/find-blob.ts";
import type { Handler } from "../runtime/request.ts";
import { blobResponse } from "./content.ts";
import { asProtocolError, protocolErrorResponse } from "./errors.ts";
import { splitUrl } from "./path.ts";

export function layerDownloadHandler(context: RegistryContext, urls: LayerUrls): Handler {
  return async (request, { log }) => {
    log.endpoint = "download-layer";
    if (request.method !== "GET") {
      return refuse(405, "use GET", { Allow: "GET" });
    }
    const layer = urls.verify(splitUrl(request.url).path.slice(layerPath.length));
    const digest = layer && parseDigest(layer.digest);
    if (layer === undefined || digest === undefined) {
      return refuse(403, "the URL was not given out here, or it has expired");
    }
    log.repository = layer.repository;
    try {
      return blobResponse(request, digest, await readBlob(context, { ...layer, digest }));
    } catch (error) {
      const known = asProtocolError(error);
      if (known !== undefined) return protocolErrorResponse(known);
      if (error instanceof RegistryError) return refuse(404, "the layer is not here any more");
      throw error;
    }
  };
}

function refuse(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { ...headers, "Content-Type": "text/plain; charset=utf-8" },
  });
}

/** An upstream registry on a real socket that answers what a test says, and counts what it is asked. */
import type { Digest } from "../../src/image/digest.ts";

export interface HostileUpstream extends Disposable {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** `GET /v2/…` of each request, oldest first. */
  readonly requests: string[];
  /** Answers a path; undefined: 404. */
  answer: (path: string, request: Request) => Response | Promise<Response> | undefined;
}

export function hostileUpstream(): HostileUpstream {
  const requests: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      requests.push(`${request.method} ${pathname}`);
      return (await upstream.answer(pathname, request)) ?? new Response(null, { status: 404 });
    },
  });
  const upstream: HostileUpstream = {
    host: `127.0.0.1:${server.port}`,
    requests,
    answer: () => undefined,
    [Symbol.dispose]: () => void server.stop(true),
  };
  return upstream;
}

/** Serves one image: manifests and blobs by digest, and a tag. */
export function imageAnswers(image: {
  readonly repository: string;
  readonly tags: Readonly<Record<string, Digest>>;
  readonly manifests: ReadonlyMap<
    string,
    { readonly mediaType: string; readonly bytes: Uint8Array }
  >;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}) {
  return (path: string): Response | undefined => {
    const match = new RegExp(`^/v2/${image.repository}/(manifests|blobs)/(.+)$`).exec(path);
    const [, kind, reference = ""] = match ?? [];
    if (kind === "manifests") {
      const digest = image.tags[reference] ?? reference;
      const found = image.manifests.get(digest);
      if (found === undefined) return undefined;
      return new Response(Uint8Array.from(found.bytes), {
        headers: { "Content-Type": found.mediaType, "Docker-Content-Digest": digest },
      });
    }
    const blob = kind === "blobs" ? image.blobs.get(reference) : undefined;
    return blob && new Response(Uint8Array.from(blob));
  };
}

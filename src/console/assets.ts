/** Gives out the console's files, with the headers that keep a page to what it is. */
import type { Handler } from "../runtime/request.ts";
import type { Archive, Encoding, StoredFile } from "./archive.ts";

export interface AssetsOptions {
  /** Called at the first request, and again when it has failed. */
  readonly load: () => Promise<Archive>;
  readonly onError: (error: unknown) => void;
}

/**
 * Scripts and styles come from here alone, and nothing that is written into a page runs. Styles that
 * React sets on elements are set by script and are not concerned.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const securityHeaders = {
  "Content-Security-Policy": contentSecurityPolicy,
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
} as const;

export function assetsHandler({ load, onError }: AssetsOptions): Handler {
  let loading: Promise<Archive> | undefined;
  function archive(): Promise<Archive> {
    loading ??= load().catch((error) => {
      loading = undefined;
      throw error;
    });
    return loading;
  }

  return async (request, { log }) => {
    log.endpoint = "console";
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("method not allowed\n", { status: 405, headers: { Allow: "GET, HEAD" } });
    }
    const path = URL.canParse(request.url) ? new URL(request.url).pathname : "";
    if (path === "/console") return redirect("/console/");
    let files: Archive["files"];
    try {
      ({ files } = await archive());
    } catch (error) {
      onError(error);
      log.errorCode = "console_unavailable";
      return new Response(
        "The console is not there: it could not be built; the server's log says why.\n",
        { status: 503, headers: { "Content-Type": "text/plain; charset=utf-8" } },
      );
    }
    const name = path.slice("/console/".length);
    const file = files.get(name);
    // Its name has a hash of its content: it never changes.
    if (file !== undefined && name !== "index.html") {
      return answer(request, file, "public, max-age=31536000, immutable");
    }
    const page = files.get("index.html");
    if (name.startsWith("assets/") || page === undefined) {
      return new Response("not found\n", { status: 404, headers: securityHeaders });
    }
    // Every other path is a page, which the page itself tells apart.
    return answer(request, page, "no-cache");
  };
}

export function redirect(location: string): Response {
  return new Response(null, { status: 302, headers: { Location: location } });
}

function answer(request: Request, { type, encodings }: StoredFile, cacheControl: string): Response {
  const accepted = request.headers.get("accept-encoding") ?? "";
  const encoding = (["br", "gzip"] as const).find(
    (each) => encodings[each] !== undefined && new RegExp(`\\b${each}\\b`).test(accepted),
  );
  const chosen: Encoding = encoding ?? "identity";
  const body = encodings[chosen] ?? encodings.identity;
  return new Response(request.method === "HEAD" ? null : body, {
    headers: {
      ...securityHeaders,
      "Content-Type": type,
      "Content-Length": String(body.size),
      "Cache-Control": cacheControl,
      Vary: "Accept-Encoding",
      ...(chosen !== "identity" && { "Content-Encoding": chosen }),
    },
  });
}

/**
 * Reads `/v2/…` paths. A repository name may itself hold words such as `blobs` or `manifests`, so
 * the last keyword counts.
 */

export type Route =
  | "base"
  | "catalog"
  | "extensions"
  | "blob"
  | "uploads"
  | "upload"
  | "manifest"
  | "tags"
  | "referrers";

/** For documentation. */
export const routePaths: Readonly<Record<Route, string>> = {
  base: "/v2/",
  catalog: "/v2/_catalog",
  extensions: "/v2/_oci/ext/discover and /v2/<name>/_oci/ext/discover",
  blob: "/v2/<name>/blobs/<digest>",
  uploads: "/v2/<name>/blobs/uploads/",
  upload: "/v2/<name>/blobs/uploads/<id>",
  manifest: "/v2/<name>/manifests/<tag or digest>",
  tags: "/v2/<name>/tags/list",
  referrers: "/v2/<name>/referrers/<digest>",
};

export interface ParsedPath {
  readonly route: Route;
  /** As in the URL, decoded, not yet checked; empty for routes without a repository. */
  readonly repository: string;
  /** Digest, tag or upload id, decoded, not yet checked. */
  readonly reference: string;
}

/** Undefined when no route has this form. */
export function parsePath(path: string): ParsedPath | undefined {
  if (path === "/v2" || path === "/v2/") return { route: "base", repository: "", reference: "" };
  if (!path.startsWith("/v2/")) return undefined;
  const rest = path.slice(4);
  if (rest === "_catalog") return { route: "catalog", repository: "", reference: "" };
  if (rest === "_oci/ext/discover") return { route: "extensions", repository: "", reference: "" };
  const segments = rest.split("/");
  const last = segments.at(-1) ?? "";
  const before = segments.at(-2) ?? "";
  const third = segments.at(-3) ?? "";
  const name = (dropped: number) => decode(segments.slice(0, -dropped).join("/"));
  const found = (route: Route, dropped: number, reference = ""): ParsedPath | undefined =>
    segments.length > dropped
      ? { route, repository: name(dropped), reference: decode(reference) }
      : undefined;

  if (last === "discover" && before === "ext" && third === "_oci") return found("extensions", 3);
  if (before === "manifests") return found("manifest", 2, last);
  if (before === "referrers") return found("referrers", 2, last);
  if (last === "list" && before === "tags") return found("tags", 2);
  if (before === "uploads" && third === "blobs") {
    return last === "" ? found("uploads", 3) : found("upload", 3, last);
  }
  if (last === "uploads" && before === "blobs") return found("uploads", 2);
  if (before === "blobs") return found("blob", 2, last);
  return undefined;
}

/** A malformed escape stays as it is: no name, tag or digest has a percent sign, so it is refused. */
function decode(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Parameters of a query. A literal plus is a plus (`application/spdx+json`), never a space; unknown
 * parameters are ignored by everyone.
 */
export interface Query {
  get(name: string): string | undefined;
  all(name: string): readonly string[];
}

const noQuery: Query = { get: () => undefined, all: () => [] };

export function parseQuery(text: string): Query {
  if (text === "") return noQuery;
  const values = new Map<string, string[]>();
  for (const pair of text.split("&")) {
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? "" : decode(pair.slice(equals + 1));
    const list = values.get(name);
    if (list === undefined) values.set(name, [value]);
    else list.push(value);
  }
  return { get: (name) => values.get(name)?.[0], all: (name) => values.get(name) ?? [] };
}

/** Splits a request's URL, which for HTTP/1.0 without a Host header is only a path. */
export function splitUrl(url: string): { path: string; query: string } {
  const scheme = url.indexOf("://");
  const start = scheme < 0 ? 0 : url.indexOf("/", scheme + 3);
  if (start < 0) return { path: "/", query: "" };
  const hash = url.indexOf("#", start);
  const end = hash < 0 ? url.length : hash;
  const mark = url.indexOf("?", start);
  if (mark < 0 || mark > end) return { path: url.slice(start, end), query: "" };
  return { path: url.slice(start, mark), query: url.slice(mark + 1, end) };
}

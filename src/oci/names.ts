/** Pages of names, with a link to the next. */
import type { NamePage } from "../registry/list-tags.ts";
import { jsonResponse } from "./json-response.ts";

export function namesResponse(
  body: unknown,
  page: NamePage,
  { path, limit }: { path: string; limit: number },
): Response {
  const headers: Record<string, string> = {};
  const last = page.names.at(-1);
  if (page.more && last !== undefined) {
    headers.Link = `<${path}?n=${limit}&last=${encodeURIComponent(last).replaceAll("%2F", "/")}>; rel="next"`;
  }
  return jsonResponse(body, { headers });
}

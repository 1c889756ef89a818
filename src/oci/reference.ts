/** docs/reference/oci.md, made from the table of endpoints and the catalogues of errors. */
import { manifestNestingLimit, manifestReferencesLimit } from "../image/manifest.ts";
import type { Endpoint } from "./endpoint.ts";
import { type CataloguedError, errorCatalogue } from "./errors.ts";
import { routePaths } from "./path.ts";
import { endpoints } from "./router.ts";

/** @param generated the line that says where the page comes from */
export function ociPage(generated: string): string {
  return `# OCI Distribution API

${generated}

What this registry speaks under \`/v2/\`: the
[OCI Distribution specification](https://github.com/opencontainers/distribution-spec/blob/main/spec.md)
1.1 and what followed it on its main branch, with every optional part. \`end-N\` is the row of the
specification's table.

Every request needs Basic authentication: \`AWS\` and a token of GetAuthorizationToken, or an access
key id and its secret. Without it the answer is 401, before the body is read. Permission is decided
next, by the action of the endpoint, and only then is anything looked up. What can be got
with GET can be asked for with HEAD, which says the same without the body. Parameters that are not
listed are ignored. Locations are relative unless a base URL is configured.

## Endpoints

| Method | Path | What it does | Action | Row |
|---|---|---|---|---|
${endpoints.map(endpointRow).join("\n")}

${endpoints.map(endpointSection).join("\n")}
## Errors

The body is \`{"errors": [{"code", "message", "detail"}]}\`, also of an answer to HEAD, which only tells
its length. The name is what the log of the server has. One message can stand for several codes of
the specification; the statuses are exact.

| Name | Status | Code | When |
|---|---|---|---|
${Object.entries(errorCatalogue).map(errorRow).join("\n")}

## Uploads

- A body that ends before its announced length, or whose chunked coding breaks off, is never taken
  for a whole one. What had come stays in the upload, GET tells how much, and the next chunk may
  begin there. A manifest, or a blob sent with its POST, leaves nothing.
- A chunk with a Content-Range must begin where the upload ended and be exactly as long as it says;
  of a longer one nothing that is too much is kept. Chunks may have any size.
- One request at a time adds to an upload; others wait for it, asking for the state does not. A client
  that stops sending is given up (408) after \`limits.idle\`, at the least after half of it, so nobody
  waits longer for a client that died. One that keeps sending is waited for (but see the limits of
  the HTTP server).
- A request whose answer was lost may be repeated, but for a PATCH without Content-Range, whose bytes
  would then be there twice: ask for the state first. A PUT that ended an upload is answered 404 the
  second time, and HEAD of the blob then says that it is there.
- A wrong digest ends the upload. A missing or malformed one does not.

## Manifests

- At most \`registry.manifestLimit\`, ${manifestReferencesLimit.toLocaleString("en")} distinct descriptors and ${manifestNestingLimit.toLocaleString("en")} levels of nesting, in
  UTF-8 without a byte order mark. They are kept and served byte for byte.
- The type is the Content-Type without parameters; \`mediaType\`, if there is one, must agree. Without
  both, the content tells. The same bytes cannot be pushed again as another type.
- Any type is taken but Docker's schema 1. What a manifest of a known type names must be in the
  repository, but for its subject and for foreign layers.

## Ranges

A request for more than 256 ranges, or for more bytes than the blob has, is answered with the whole
blob, as is one whose If-Range names something else. Overlapping ranges are merged; the order of the
request is kept. A multipart answer is sent chunked, without a Content-Length.

## Known limits of the HTTP server

The server under this one is Bun's, and answers some things before the registry sees them:

- \`Expect: 100-continue\` is answered with \`100 Continue\` at once, also to a request that is then
  refused. The refusal follows without waiting for the body.
- A request that is not well-formed HTTP is answered 400, 431 (headers) or 505 without a JSON body,
  and the connection is closed. A method that Bun does not know closes the connection.
- Requests that overtake their answers on one connection (pipelining) are answered one by one only
  while nothing has to be waited for; otherwise the connection is closed. None of the clients that
  are tested here does this.
- A body that brings less than about 16 KiB a second is cut off after four minutes, as if the client
  had gone away: the upload keeps what came.
- A client that shuts down its sending side before it has its answer is taken to be gone.
`;
}

function endpointRow({ method, route, name, action, id }: Endpoint): string {
  const path = routePaths[route].replaceAll("<", "&lt;").replaceAll(" and ", ", ");
  const shown = action === undefined ? "" : `\`${action}\``;
  return `| ${method} | ${path} | [${name}](#${name}) | ${shown} | ${id} |`;
}

function endpointSection({ name, method, route, documentation }: Endpoint): string {
  const { summary, success, query, errors } = documentation;
  const lines = [
    `### ${name}`,
    "",
    `\`${method} ${routePaths[route]}\``,
    "",
    summary,
    "",
    ...Object.entries(success).map(([status, meaning]) => `- ${status}: ${meaning}`),
    ...Object.entries(query ?? {}).map(
      ([parameter, meaning]) => `- \`?${parameter}=\`: ${meaning}`,
    ),
  ];
  if (errors.length > 0)
    lines.push(`- Errors: ${errors.map((error) => `\`${error}\``).join(", ")}`);
  return `${lines.join("\n")}\n`;
}

function errorRow([name, { status, code, when }]: [string, CataloguedError]): string {
  return `| \`${name}\` | ${status} | ${code} | ${when} |`;
}

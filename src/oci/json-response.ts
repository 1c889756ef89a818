/** Responses with a JSON body. Their length is a header, so that HEAD can tell it too. */
export function jsonResponse(
  body: unknown,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): Response {
  const bytes = Buffer.from(JSON.stringify(body));
  return new Response(bytes, {
    status,
    headers: {
      "Content-Type": "application/json",
      ...headers,
      "Content-Length": String(bytes.byteLength),
    },
  });
}

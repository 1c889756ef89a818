/**
 * The cookie of a session. Its name has the region in it, because browsers do not tell the ports of
 * a host apart and several regions may be served on one.
 */

function nameOf(region: string, secure: boolean): string {
  // The prefix makes browsers refuse it without TLS, from a subdomain, or for part of the site.
  return `${secure ? "__Host-" : ""}portolan-${region}`;
}

function cookie(region: string, secure: boolean, value: string, more: string): string {
  const attributes = `Path=/; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}${more}`;
  return `${nameOf(region, secure)}=${value}; ${attributes}`;
}

/** It has no end of its own: the server knows it, and closing the browser ends it too. */
export function setCookie(region: string, secure: boolean, value: string): string {
  return cookie(region, secure, value, "");
}

export function clearCookie(region: string, secure: boolean): string {
  return cookie(region, secure, "", "; Max-Age=0");
}

export function readCookie(region: string, secure: boolean, request: Request): string | undefined {
  const name = nameOf(region, secure);
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const [key, value] = pair.split("=", 2);
    if (key?.trim() === name) return value?.trim();
  }
  return undefined;
}

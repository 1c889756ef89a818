/**
 * Where webhooks may go. Whoever may write rules could otherwise make the server ask its own
 * network, or the address where a cloud keeps a machine's credentials.
 */
import { isPrivateAddress } from "./address-range.ts";
import { EventsError } from "./errors.ts";

export interface WebhookPolicy {
  /** @throws EventsError invalid: not HTTPS, a private address, credentials in the URL */
  checkEndpoint(url: string): void;
  /** After the name was resolved, immediately before the connection. */
  mayConnect(url: URL, address: string): boolean;
}

/** @param privateHosts hosts with optional ports, allowed whatever their address, also without TLS */
export function webhookPolicy(privateHosts: readonly string[]): WebhookPolicy {
  const allowed = new Set(privateHosts.map((host) => host.toLowerCase()));
  const isAllowed = (url: URL) =>
    allowed.has(url.hostname) || allowed.has(`${url.hostname}:${url.port || defaultPort(url)}`);
  return {
    checkEndpoint(text) {
      const url = URL.canParse(text) ? new URL(text) : undefined;
      const refuse = (reason: string) =>
        new EventsError("invalid", `Parameter InvocationEndpoint is not valid. Reason: ${reason}`);
      if (url === undefined || !["https:", "http:"].includes(url.protocol)) {
        throw refuse("it must be an HTTPS URL.");
      }
      if (url.username !== "" || url.password !== "" || url.hash !== "") {
        throw refuse("it must have no credentials and no fragment.");
      }
      if (isAllowed(url)) return;
      if (url.protocol !== "https:") {
        throw refuse("it must be an HTTPS URL; events.privateHosts lists hosts that need not be.");
      }
      const literal = url.hostname.replace(/^\[|\]$/g, "");
      const isLiteral = url.hostname.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(literal);
      if ((isLiteral && isPrivateAddress(literal)) || url.hostname === "localhost") {
        throw refuse("it is a private address, and events.privateHosts does not list it.");
      }
    },
    mayConnect: (url, address) => isAllowed(url) || !isPrivateAddress(address),
  };
}

function defaultPort({ protocol }: URL): string {
  return protocol === "https:" ? "443" : "80";
}

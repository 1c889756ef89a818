/** Tells a client that this is a registry, once it is authenticated. */
import type { Endpoint } from "../endpoint.ts";

const headers = { "Content-Type": "application/json" };

export const ping: Endpoint = {
  id: "end-1",
  name: "ping",
  method: "GET",
  route: "base",
  async handle() {
    return new Response("{}", { headers });
  },
};

export const pingHead: Endpoint = {
  ...ping,
  method: "HEAD",
  async handle() {
    return new Response(null, { headers: { ...headers, "Content-Length": "2" } });
  },
};

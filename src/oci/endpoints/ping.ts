/** Tells a client that this is a registry, once it is authenticated. */
import type { Endpoint } from "../endpoint.ts";
import { jsonResponse } from "../json-response.ts";

export const ping: Endpoint = {
  id: "end-1",
  name: "ping",
  method: "GET",
  route: "base",
  async handle() {
    return jsonResponse({});
  },
};

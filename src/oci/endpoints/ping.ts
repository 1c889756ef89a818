/** Tells a client that this is a registry, once it is authenticated. */
import type { Endpoint } from "../endpoint.ts";
import { jsonResponse } from "../json-response.ts";

export const ping: Endpoint = {
  id: "end-1",
  name: "ping",
  method: "GET",
  route: "base",
  documentation: {
    summary: "Tells that this is a registry, and whether the credentials are right.",
    success: { 200: "an empty object" },
    errors: [],
  },
  async handle() {
    return jsonResponse({});
  },
};

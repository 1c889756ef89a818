/** Lists the extensions of the API: there are none. */
import type { Endpoint } from "../endpoint.ts";
import { jsonResponse } from "../json-response.ts";

export const discoverExtensions: Endpoint = {
  id: "extensions",
  name: "discover-extensions",
  method: "GET",
  route: "extensions",
  documentation: {
    summary: "Lists the extensions of the API: there are none.",
    success: { 200: "an empty list" },
    errors: [],
  },
  async handle() {
    return jsonResponse({ extensions: [] });
  },
};

/** Lists the extensions of the API: there are none. */
import type { Endpoint } from "../endpoint.ts";

export const discoverExtensions: Endpoint = {
  id: "extensions",
  name: "discover-extensions",
  method: "GET",
  route: "extensions",
  async handle() {
    return new Response('{"extensions":[]}', { headers: { "Content-Type": "application/json" } });
  },
};

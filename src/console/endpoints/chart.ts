/** The regions, the routes from this one, and what would be lost with it. */
import * as v from "valibot";
import { chartOf } from "../chart.ts";
import { defineEndpoint } from "../endpoint.ts";
import { account, accountOf, onRegistry } from "../input.ts";

export const getChart = defineEndpoint({
  name: "console.get-chart",
  method: "GET",
  path: "chart",
  summary: "The regions, the routes from this one, and what would be lost if it died now.",
  input: v.object({ account }),
  permissions: (call, input) => onRegistry(call, input, "DescribeRegistry"),
  handle: (call, input) => chartOf(call.services, accountOf(call, input)),
});

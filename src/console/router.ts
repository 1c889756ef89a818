/** The table of the console's endpoints. The handler and docs/reference/console-api.md follow it. */
import type { Endpoint, OpenEndpoint } from "./endpoint.ts";
import { getChart } from "./endpoints/chart.ts";
import { getEvents } from "./endpoints/events.ts";
import { getImage } from "./endpoints/image.ts";
import { getImagePlaces } from "./endpoints/image-places.ts";
import { getImages } from "./endpoints/images.ts";
import { getRepositories } from "./endpoints/repositories.ts";
import {
  assumeRole,
  getSession,
  leaveRole,
  renewSession,
  signIn,
  signOut,
} from "./endpoints/session.ts";

/** For everybody. */
export const openEndpoints: readonly OpenEndpoint[] = [signIn];

/** For whoever is signed in. */
export const endpoints: readonly Endpoint[] = [
  getSession,
  renewSession,
  assumeRole,
  leaveRole,
  signOut,
  getChart,
  getRepositories,
  getImages,
  getImage,
  getImagePlaces,
  getEvents,
];

function find<E extends { method: string; path: string }>(
  table: readonly E[],
  method: string,
  path: string,
): E | undefined {
  return table.find((endpoint) => endpoint.method === method && endpoint.path === path);
}

export const findOpenEndpoint = (method: string, path: string) => find(openEndpoints, method, path);
export const findEndpoint = (method: string, path: string) => find(endpoints, method, path);

export function allowedMethods(path: string): readonly string[] {
  return [...openEndpoints, ...endpoints].filter((e) => e.path === path).map((e) => e.method);
}

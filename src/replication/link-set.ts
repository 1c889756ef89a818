/** The links of a region, which follow its chart. */
import type { Chart, ChartRegion } from "./chart.ts";
import type { Link } from "./link.ts";

export interface LinkSet {
  /** As the chart is now. */
  current(): readonly Link[];
  find(region: string): Link | undefined;
}

/**
 * @param fixed links that are not of the chart: other registries
 * @param make makes the link to a region of the chart, this one included
 */
export function linkSet(
  { name, chart }: { name: string; chart: Chart },
  make: (region: ChartRegion | string) => Link,
  fixed: readonly Link[],
): LinkSet {
  let seen: Chart["regions"] | undefined;
  let links: readonly Link[] = [];
  let known = new Map<string, { endpoint: string; link: Link }>();
  const own = make(name);

  function follow(): void {
    const next: typeof known = new Map();
    for (const region of chart.regions) {
      if (region.name === name) continue;
      const before = known.get(region.name);
      const isSame = before?.endpoint === region.endpoint;
      const link = isSame ? before.link : make(region);
      next.set(region.name, { endpoint: region.endpoint, link });
    }
    known = next;
    links = [own, ...[...next.values()].map(({ link }) => link), ...fixed];
  }

  function current(): readonly Link[] {
    if (seen !== chart.regions) {
      seen = chart.regions;
      follow();
    }
    return links;
  }

  return { current, find: (region) => current().find((link) => link.region === region) };
}

/** The world with the regions on it and the routes from this one. The table beside it tells the same. */
import type { ChartAnswer, ChartRoute } from "../../../../src/console/api-types.ts";
import { useFormat } from "../../parts/format.ts";
import { useText } from "../../text/text.tsx";
import { land, type Point } from "./land.ts";
import { regionPlaces } from "./region-places.ts";
import "./world-map.css";

const width = 1000;
const height = 470;
const north = 80;
const south = -56;

function project([longitude, latitude]: Point): { x: number; y: number } {
  const x = ((longitude + 180) / 360) * width;
  const y = ((north - Math.max(south, Math.min(north, latitude))) / (north - south)) * height;
  return { x, y };
}

const outlines = land.map((points) =>
  points
    .map((point, index) => {
      const { x, y } = project(point);
      return `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join(""),
);
const landPath = `${outlines.join("Z")}Z`;

/** Where a region is; undefined when nobody has told. */
export function placeOf(region: ChartAnswer["regions"][number]): Point | undefined {
  const { place } = region;
  if (place !== undefined) return [place.longitude, place.latitude];
  return regionPlaces[region.name];
}

/** An arc that leans to the north, so that the ways there and back do not cover each other. */
function arc(from: { x: number; y: number }, to: { x: number; y: number }): string {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 - length / 5 };
  const round = (value: number) => value.toFixed(1);
  return `M${round(from.x)} ${round(from.y)}Q${round(middle.x)} ${round(middle.y)} ${round(to.x)} ${round(to.y)}`;
}

const severity: Readonly<Record<ChartRoute["state"], number>> = {
  idle: 0,
  flowing: 1,
  behind: 2,
  unknown_region: 3,
  unreachable: 4,
};

/** Of several accounts' routes to a region the one that needs eyes most. */
function worstRoutes(routes: readonly ChartRoute[]): Map<string, ChartRoute> {
  const worst = new Map<string, ChartRoute>();
  for (const route of routes) {
    const before = worst.get(route.region);
    if (before === undefined || severity[route.state] > severity[before.state]) {
      worst.set(route.region, route);
    }
  }
  return worst;
}

export function WorldMap({ chart }: { chart: ChartAnswer }) {
  const text = useText();
  const format = useFormat();
  const placed = chart.regions.flatMap((region) => {
    const place = placeOf(region);
    return place === undefined ? [] : [{ name: region.name, ...project(place) }];
  });
  const here = placed.find(({ name }) => name === chart.region);
  const routes = worstRoutes(chart.routes);
  const told = (name: string) => {
    if (name === chart.region) return `${name}, ${text.chart.here}`;
    const route = routes.get(name);
    if (route === undefined) return name;
    const parts = [name, text.chart.states[route.state]];
    if (route.backlogImages > 0) {
      parts.push(
        text.chart.backlogValue(
          format.count(route.backlogImages),
          format.bytes(route.backlogBytes),
        ),
      );
    }
    return parts.join(", ");
  };
  return (
    <svg
      className="world-map"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={text.chart.map(chart.regions.length)}
    >
      <path className="world-land" d={landPath} />
      {here !== undefined &&
        placed.map((to) => {
          const route = routes.get(to.name);
          if (route === undefined || to.name === here.name) return null;
          const d = arc(here, to);
          return (
            <g key={to.name} className={`world-route world-route-${route.state}`}>
              <title>{told(to.name)}</title>
              <path className="world-route-line" d={d} />
              {route.state === "flowing" && <path className="world-route-flow" d={d} />}
            </g>
          );
        })}
      {placed.map(({ name, x, y }) => (
        <g
          key={name}
          className={`world-region world-region-${name === chart.region ? "here" : (routes.get(name)?.state ?? "idle")}`}
          transform={`translate(${x.toFixed(1)} ${y.toFixed(1)})`}
        >
          <title>{told(name)}</title>
          {name === chart.region && <circle className="world-region-ring" r="12" />}
          <circle r="6" />
          <text
            x={(x > width - 160 ? -1 : 1) * (name === chart.region ? 17 : 11)}
            y="4"
            textAnchor={x > width - 160 ? "end" : "start"}
          >
            {name}
          </text>
        </g>
      ))}
    </svg>
  );
}

/** The regions that a region knows. */
import * as v from "valibot";

export interface ChartRegion {
  readonly name: string;
  /** Where its server is reached, for example `https://registry.eu-west-1.example.com`. */
  readonly endpoint: string;
  /** Its Ed25519 key: 32 bytes in base64url, without padding. */
  readonly publicKey: string;
}

export interface Chart {
  readonly regions: readonly ChartRegion[];
}

/** The rule of ECR's replication configuration for the names of regions. */
export const regionNamePattern = /^[0-9a-z-]{2,25}$/;

const publicKeyPattern = /^[A-Za-z0-9_-]{43}$/;

/** For the configuration file. */
export const chartSchema = v.object({
  regions: v.pipe(
    v.array(
      v.object({
        name: v.pipe(v.string(), v.regex(regionNamePattern, "not a region's name")),
        endpoint: v.pipe(v.string(), v.url(), v.regex(/^https?:\/\//, "not an http(s) URL")),
        publicKey: v.pipe(v.string(), v.regex(publicKeyPattern, "not an Ed25519 key in base64url")),
      }),
    ),
    v.maxLength(1000),
    v.check(
      (regions) => new Set(regions.map((region) => region.name)).size === regions.length,
      "two regions of the same name",
    ),
  ),
});

export function findRegion(chart: Chart, name: string): ChartRegion | undefined {
  return chart.regions.find((region) => region.name === name);
}

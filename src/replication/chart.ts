/** The regions that a region knows. */
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

export function findRegion(chart: Chart, name: string): ChartRegion | undefined {
  return chart.regions.find((region) => region.name === name);
}

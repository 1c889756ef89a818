/** The regions that a region knows. */
export interface ChartRegion {
  readonly name: string;
  /** Where its server is reached, for example `https://registry.eu-west-1.example.com`. */
  readonly endpoint: string;
  /** Its Ed25519 key: 32 bytes in base64url, without padding. */
  readonly publicKey: string;
  /** The key before that one, which is accepted for a while longer. */
  readonly previous?: PreviousKey;
  /** Where it is, in degrees north and east. */
  readonly place?: { readonly latitude: number; readonly longitude: number };
}

export interface PreviousKey {
  readonly publicKey: string;
  /** Milliseconds since the epoch. */
  readonly acceptedUntil: number;
}

/** `regions` is another list whenever the chart has changed. */
export interface Chart {
  readonly regions: readonly ChartRegion[];
}

/** The rule of ECR's replication configuration for the names of regions. */
export const regionNamePattern = /^[0-9a-z-]{2,25}$/;

export function findRegion(chart: Chart, name: string): ChartRegion | undefined {
  return chart.regions.find((region) => region.name === name);
}

/** The public keys that a region's tokens may be signed with now. */
export function acceptedKeys({ publicKey, previous }: ChartRegion, now: number): string[] {
  const isAccepted = previous !== undefined && now < previous.acceptedUntil;
  return isAccepted ? [publicKey, previous.publicKey] : [publicKey];
}

/** Two regions and a rule for everything from the first to the second. */
import { type Fleet, type FleetOptions, ruleTo, startFleet, type TestRegion } from "./regions.ts";

export async function oneWay(options: FleetOptions = {}): Promise<{
  fleet: Fleet;
  source: TestRegion;
  replica: TestRegion;
}> {
  const fleet = await startFleet(["us-east-1", "eu-west-1"], options);
  const source = fleet.region("us-east-1");
  await source.configure([ruleTo("eu-west-1")]);
  return { fleet, source, replica: fleet.region("eu-west-1") };
}

/** Where the parts of blobs began that a region received. */
export const partOffsets = ({ requests }: TestRegion): number[] =>
  requests.filter(({ resource }) => resource === "blobs").map(({ offset }) => offset);

/** Bytes of blobs that have arrived and are not complete. */
export async function stagedBytes({ blobs }: TestRegion): Promise<number> {
  let bytes = 0;
  for await (const id of blobs.stages()) bytes += (await blobs.stage(id)).size;
  return bytes;
}

/** Destinations as commands take and show them. */
import { InvalidArgumentError } from "commander";
import type { Destination } from "../replication/configuration.ts";

/** `REGION` or `REGION/ACCOUNT`. */
export interface DestinationOption {
  readonly region: string;
  readonly registryId?: string;
}

export function parseDestination(text: string): DestinationOption {
  const match = /^([0-9a-z-]{2,25})(?:\/([0-9]{12}))?$/.exec(text);
  const [, region, registryId] = match ?? [];
  if (region === undefined) {
    throw new InvalidArgumentError(
      "expected a region of the chart, or a region and an account: eu-west-1 or eu-west-1/111122223333",
    );
  }
  return { region, ...(registryId !== undefined && { registryId }) };
}

export function formatDestination({ region, registryId }: Destination): string {
  return `${region}/${registryId}`;
}

export function isSelected(
  { region, registryId }: Destination,
  selected: DestinationOption | undefined,
): boolean {
  if (selected === undefined) return true;
  if (region !== selected.region) return false;
  return selected.registryId === undefined || registryId === selected.registryId;
}

/** When images of a registry are to be scanned. It is kept; there is no scanner yet. */
import { documentKind } from "./documents.ts";
import { matchesWildcard } from "./wildcard.ts";

export interface ScanningRule {
  readonly scanFrequency: "SCAN_ON_PUSH" | "CONTINUOUS_SCAN" | "MANUAL";
  readonly filters: readonly string[];
}

export interface ScanningConfiguration {
  readonly scanType: "BASIC" | "ENHANCED";
  readonly rules: readonly ScanningRule[];
}

export const scanningConfigurationKind = documentKind<ScanningConfiguration>(
  "scanning-configuration",
  "region",
);
export const scanningConfigurationName = "registry";
export const defaultScanningConfiguration: ScanningConfiguration = { scanType: "BASIC", rules: [] };

/** Filters of a rule that are for the repository; one without a star means "contains". */
export function appliedFilters({ filters }: ScanningRule, repository: string): string[] {
  return filters.filter((filter) =>
    filter.includes("*") ? matchesWildcard(filter, repository) : repository.includes(filter),
  );
}

/** The scanning configuration of a registry as Amazon ECR takes and answers it. */
import type { RegistryScanningConfiguration } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import type { ScanningConfiguration } from "../../registry/scanning-configuration.ts";
import { optional } from "./shapes.ts";

const filter = v.object({
  filter: v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(255),
    v.regex(/^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$/),
  ),
  filterType: v.picklist(["WILDCARD"]),
});

export const scanningInput = v.object({
  scanType: optional(v.picklist(["BASIC", "ENHANCED"])),
  rules: optional(
    v.pipe(
      v.array(
        v.object({
          scanFrequency: v.picklist(["SCAN_ON_PUSH", "CONTINUOUS_SCAN", "MANUAL"]),
          repositoryFilters: v.pipe(v.array(filter), v.maxLength(100)),
        }),
      ),
      v.maxLength(2),
    ),
  ),
});

export function scanningShape({
  scanType,
  rules,
}: ScanningConfiguration): RegistryScanningConfiguration {
  return {
    scanType,
    rules: rules.map(({ scanFrequency, filters }) => ({
      scanFrequency,
      repositoryFilters: filterShapes(filters),
    })),
  };
}

export function filterShapes(filters: readonly string[]) {
  return filters.map((each) => ({ filter: each, filterType: "WILDCARD" as const }));
}

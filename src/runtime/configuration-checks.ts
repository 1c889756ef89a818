/** Rules between entries of a configuration, after each is right by itself. */
import { regionsOf, registriesOf } from "./chart-values.ts";
import type { Configuration } from "./configuration-entries.ts";

export interface CombinationProblem {
  readonly path: string;
  readonly message: string;
  /** The entries that the rule looks at; when one of them is wrong by itself, the rule is silent. */
  readonly involves: readonly string[];
}

export function checkTogether(configuration: Configuration): CombinationProblem[] {
  const problems: CombinationProblem[] = [];
  const { metadata, tls, root, chart, region, regionKey, replication } = configuration;
  const report = (path: string, message: string, involves: readonly string[]) =>
    problems.push({ path, message, involves });

  if (metadata.driver === "postgres" && metadata.url === undefined) {
    report("metadata.url", "required when metadata.driver is postgres", [
      "metadata.driver",
      "metadata.url",
    ]);
  }
  if (metadata.driver === "sqlite" && metadata.url !== undefined) {
    report("metadata.url", "only for metadata.driver postgres", [
      "metadata.url",
      "metadata.driver",
    ]);
  }
  const pairs = [
    ["tls.certificate", tls.certificate, "tls.key", tls.key],
    ["root.accessKeyId", root.accessKeyId, "root.secretAccessKey", root.secretAccessKey],
  ] as const;
  for (const [first, firstValue, second, secondValue] of pairs) {
    if ((firstValue === undefined) === (secondValue === undefined)) continue;
    const [absent, present] = firstValue === undefined ? [first, second] : [second, first];
    report(absent, `required together with ${present}`, [first, second]);
  }
  const regions = regionsOf(chart);
  if (registriesOf(chart).some(({ name }) => name === region)) {
    report("chart", `has a registry with the name of this region, ${region}`, ["chart", "region"]);
  }
  if (regions.length > 0) {
    if (!regions.some(({ name }) => name === region)) {
      report("chart", `does not contain this region, ${region}`, ["chart", "region"]);
    }
    if (regionKey === undefined) {
      report("regionKey", "required together with chart", ["chart", "regionKey"]);
    }
  }
  if (replication.retryInitial.milliseconds > replication.retryMaximum.milliseconds) {
    report("replication.retryInitial", "longer than replication.retryMaximum", [
      "replication.retryInitial",
      "replication.retryMaximum",
    ]);
  }
  return problems;
}

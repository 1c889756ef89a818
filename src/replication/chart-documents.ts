/**
 * The chart of an installation that runs: what the configuration says is where it begins, and a
 * document for a region, or the mark that one was removed, comes before it. The documents spread
 * like identities. See docs/internals/decisions/0006-chart-as-documents.md.
 */
import * as v from "valibot";
import type { Queryable, Transaction } from "../metadata/metadata-store.ts";
import { type DocumentRow, selectDocumentsOfKind } from "../metadata/queries/documents.ts";
import type { RegistryContext } from "../registry/context.ts";
import { changeDocument, documentKind } from "../registry/documents.ts";
import { type Chart, type ChartRegion, regionNamePattern } from "./chart.ts";

export type ChartEntryDocument = Omit<ChartRegion, "name">;

/** Of no account. Name: the region's. */
export const chartRegionKind = documentKind<ChartEntryDocument>("chart-region", "installation");
const everyAccount = "";

/** As of the chart in a configuration; the marks of removed ones besides. */
export const chartRegionsLimit = 100;
const documentsLimit = 1000;

const publicKey = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/, "expected an Ed25519 key"));
const degrees = (limit: number) => v.pipe(v.number(), v.minValue(-limit), v.maxValue(limit));

export const chartRegionShape = v.looseObject({
  endpoint: v.pipe(
    v.string(),
    v.url(),
    v.maxLength(2048),
    v.regex(/^https?:\/\/[^/?#@]+\/?$/, "expected http:// or https:// and a host"),
  ),
  publicKey,
  previous: v.exactOptional(
    v.looseObject({ publicKey, acceptedUntil: v.pipe(v.number(), v.safeInteger()) }),
  ),
  place: v.exactOptional(v.looseObject({ latitude: degrees(90), longitude: degrees(180) })),
});

export type ChartSource = "configuration" | "chart" | "removed";

export interface KnownRegion {
  readonly region: ChartRegion;
  /** Where it is known from; `removed` ones are not in the chart any more. */
  readonly source: ChartSource;
}

/** In the order of the names, with those that were removed from the configuration's chart. */
export function knownRegions(
  bootstrap: readonly ChartRegion[],
  rows: readonly Pick<DocumentRow, "name" | "value">[],
): KnownRegion[] {
  const known = new Map<string, KnownRegion>();
  for (const region of bootstrap) known.set(region.name, { region, source: "configuration" });
  for (const { name, value } of rows) {
    const before = known.get(name)?.region;
    if (value !== null) {
      const entry = JSON.parse(value) as ChartEntryDocument;
      known.set(name, { region: { ...entry, name }, source: "chart" });
    } else if (before !== undefined) known.set(name, { region: before, source: "removed" });
  }
  return [...known.values()].sort((a, b) => (a.region.name < b.region.name ? -1 : 1));
}

export async function readChart(
  db: Queryable,
  bootstrap: readonly ChartRegion[],
): Promise<KnownRegion[]> {
  const page = { account: everyAccount, name: "", limit: documentsLimit };
  return knownRegions(bootstrap, await selectDocumentsOfKind(db, chartRegionKind.kind, page));
}

/** Those that are in force. */
export function inForce(known: readonly KnownRegion[]): ChartRegion[] {
  return known.filter(({ source }) => source !== "removed").map(({ region }) => region);
}

/** @param actor ARN of the principal that changes the chart */
export async function putChartRegion(
  context: RegistryContext,
  tx: Transaction,
  { name, ...entry }: ChartRegion,
  actor: string,
): Promise<void> {
  if (!regionNamePattern.test(name)) throw new Error(`${name} is no region's name`);
  const value: ChartEntryDocument = v.parse(chartRegionShape, entry);
  const target = { account: everyAccount, name, actor };
  await changeDocument(context, tx, chartRegionKind, target, () => value);
}

/** Leaves the mark that the region was removed, which also a chart in a configuration yields to. */
export async function removeChartRegion(
  context: RegistryContext,
  tx: Transaction,
  region: ChartRegion,
  actor: string,
): Promise<void> {
  const target = { account: everyAccount, name: region.name, actor };
  // A mark needs something to take away: the configuration's entry has no document yet.
  await putChartRegion(context, tx, region, actor);
  await changeDocument(context, tx, chartRegionKind, target, () => undefined);
}

export interface LiveChart extends Chart {
  /** The names in force and those of this region and of other registries, as they are now. */
  readonly names: ReadonlySet<string>;
  /** Reads the documents again. */
  refresh(): Promise<void>;
}

/** @param own names that are destinations without being on the chart */
export function liveChart(
  db: Queryable,
  bootstrap: readonly ChartRegion[],
  own: readonly string[],
): LiveChart {
  const names = new Set<string>(own);
  let text = "";
  let regions: readonly ChartRegion[] = [];
  const take = (found: readonly ChartRegion[]) => {
    const now = JSON.stringify(found);
    if (now === text) return;
    text = now;
    regions = found;
    names.clear();
    for (const name of [...own, ...found.map((region) => region.name)]) names.add(name);
  };
  take(bootstrap);
  return {
    names,
    get regions() {
      return regions;
    },
    async refresh() {
      take(inForce(await readChart(db, bootstrap)));
    },
  };
}

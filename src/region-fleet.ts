/**
 * What the regions of an installation have in common, as one of them knows it: the chart as it is
 * now, this region's keys, and the documents that hold everywhere.
 */
import { everyAccount } from "./access/account-existence.ts";
import { identityDocumentShapes } from "./access/installation-kinds.ts";
import { StartError } from "./open-registry.ts";
import type { RegistryContext } from "./registry/context.ts";
import { ensureFirstTemplates } from "./registry/creation-templates.ts";
import { acceptedKeys, findRegion } from "./replication/chart.ts";
import {
  chartRegionKind,
  chartRegionShape,
  type LiveChart,
  liveChart,
} from "./replication/chart-documents.ts";
import type { InstallationDocuments } from "./replication/documents/document-replication.ts";
import type { ReplicationLog } from "./replication/log.ts";
import type { RegionKeys } from "./replication/region-token.ts";
import { regionsOf, registriesOf } from "./runtime/chart-values.ts";
import type { Configuration } from "./runtime/configuration-entries.ts";
import {
  generateRegionKey,
  parseRegionKey,
  previousRegionKeyPath,
  type RegionKey,
  readRegionKey,
} from "./runtime/secret-files.ts";

export interface FleetOptions {
  readonly configuration: Configuration;
  readonly context: RegistryContext;
  /** Absent for commands, which send no documents. */
  readonly installationKey?: Uint8Array;
  readonly logger: ReplicationLog;
}

export interface RegionFleet {
  readonly chart: LiveChart;
  /** As the files have them; read again when the chart tells of another key of this region. */
  keys(): RegionKeys;
  readonly documents: InstallationDocuments | undefined;
}

/** @throws StartError when the region's key is not the one that the chart has */
export async function openFleet(options: FleetOptions): Promise<RegionFleet> {
  const { configuration, context, installationKey, logger } = options;
  const { region, regionKey } = configuration;
  const registries = registriesOf(configuration.chart).map(({ name }) => name);
  const bootstrap = regionsOf(configuration.chart);
  const chart = liveChart(context.metadata.read, bootstrap, [region, ...registries]);
  await chart.refresh();
  let keys = await readKeys(regionKey);
  requireOwnKey();

  function ownEntry() {
    return findRegion(chart, region);
  }

  function requireOwnKey(): void {
    const entry = ownEntry();
    const { publicKey } = keys.current;
    if (entry === undefined || regionKey === undefined) return;
    if (acceptedKeys(entry, context.clock.now()).includes(publicKey)) return;
    throw new StartError(
      `${regionKey}: not the key of ${region} in the chart, which has the public key ${entry.publicKey}; this one's is ${publicKey}`,
    );
  }

  async function followKeys(): Promise<void> {
    const wanted = ownEntry()?.publicKey;
    if (wanted === undefined || wanted === keys.current.publicKey) return;
    keys = await readKeys(regionKey);
    if (keys.current.publicKey === wanted) logger.info({ region }, "the region has a new key");
    else {
      logger.warn(
        { region, publicKey: wanted, regionKey },
        "the chart has another key of this region than its file; the file's is used as long as it is accepted",
      );
    }
  }

  async function onChange(): Promise<void> {
    await chart.refresh();
    await followKeys();
    await welcomeAccounts(context, configuration);
  }

  return {
    chart,
    keys: () => keys,
    documents: installationKey && {
      installationKey,
      shapes: new Map([...identityDocumentShapes, [chartRegionKind.kind, chartRegionShape]]),
      onChange,
    },
  };
}

/** Gives every account what its registry begins with here, wherever the account was made. */
export async function welcomeAccounts(
  context: RegistryContext,
  { registry }: Configuration,
): Promise<void> {
  for (const account of await everyAccount(context.metadata.read)) {
    await ensureFirstTemplates(context, { account, templates: registry.creationTemplates });
  }
}

/** Without other regions nobody has to know this one: any key will do then. */
async function readKeys(path: string | undefined): Promise<RegionKeys> {
  if (path === undefined) return { current: halves(parseRegionKey(generateRegionKey())) };
  const previousPath = previousRegionKeyPath(path);
  const hasPrevious = await Bun.file(previousPath).exists();
  return {
    current: halves(await readRegionKey(path)),
    ...(hasPrevious && { previous: halves(await readRegionKey(previousPath)) }),
  };
}

function halves({ privateKey, publicKey }: RegionKey) {
  const { d } = privateKey.export({ format: "jwk" });
  if (d === undefined) throw new Error("the region's key has no private half");
  return { publicKey, privateKey: d };
}

/** The documents of the installation between regions: both directions, put together. */
import type * as v from "valibot";
import type { ChangeObserver, RegistryContext } from "../../registry/context.ts";
import { databaseId } from "../../registry/database-id.ts";
import type { ReplicationLog } from "../log.ts";
import type { Meter } from "../metrics.ts";
import { documentMetrics } from "./document-metrics.ts";
import {
  type DocumentDestination,
  type DocumentSender,
  type DocumentSenderSettings,
  documentSender,
} from "./document-sender.ts";
import { documentSeal } from "./messages.ts";
import { type ReceiveDocuments, receiveDocuments } from "./receive-documents.ts";

/** What the composition knows of the documents that hold in the whole installation. */
export interface InstallationDocuments {
  /** 32 bytes, the same in all regions. */
  readonly installationKey: Uint8Array;
  /** The kinds, with the shapes of their values. */
  readonly shapes: ReadonlyMap<string, v.GenericSchema>;
  /** Told, before they are sent on, that documents have changed, here or by another process. */
  readonly onChange?: () => Promise<void>;
}

export interface DocumentReplicationOptions extends InstallationDocuments {
  readonly context: RegistryContext;
  readonly destinations: () => readonly DocumentDestination[];
  readonly settings: DocumentSenderSettings & { readonly clockSkewLimitMilliseconds: number };
  readonly meter: Meter;
  readonly log: ReplicationLog;
}

export interface DocumentReplication {
  readonly receive: ReceiveDocuments;
  readonly sender: DocumentSender;
  /** Sends on what was written, as soon as it is. */
  readonly observer: ChangeObserver;
}

export function documentReplication(options: DocumentReplicationOptions): DocumentReplication {
  const { context, shapes, settings, log } = options;
  const { region, metadata, clock, random } = context;
  const seal = documentSeal(options.installationKey);
  const metrics = documentMetrics(options.meter);
  const sender = documentSender({
    ...{ region, metadata, clock, random, seal, settings, metrics, log },
    destinations: options.destinations,
    onChange: options.onChange,
    database: () => databaseId(context),
  });
  const { clockSkewLimitMilliseconds } = settings;
  return {
    receive: receiveDocuments({ context, seal, shapes, clockSkewLimitMilliseconds, metrics, log }),
    sender,
    async observer(tx, { detail }) {
      if (shapes.has(String(detail?.kind))) tx.afterCommit(() => sender.wake());
    },
  };
}

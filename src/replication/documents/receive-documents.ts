/** The destination's side: takes documents over that are newer, and notes how far it has come. */
import * as v from "valibot";
import {
  selectDocumentCursor,
  selectDocumentCursorForUpdate,
  upsertDocumentCursor,
} from "../../metadata/queries/document-cursors.ts";
import { selectDocumentForUpdate } from "../../metadata/queries/documents.ts";
import type { RegistryContext } from "../../registry/context.ts";
import { parseHybridTimestamp } from "../../registry/hybrid-clock.ts";
import { mergeDocument, type TravellingDocument } from "../../registry/merge-document.ts";
import { replicationActor } from "../actor.ts";
import type { ReplicationLog } from "../log.ts";
import type { DocumentMetrics } from "./document-metrics.ts";
import type { DocumentBatch, DocumentSeal, DocumentsAnswer, SealedBatch } from "./messages.ts";

export interface ReceiveDocumentsOptions {
  readonly context: RegistryContext;
  readonly seal: DocumentSeal;
  /** The kinds that hold in the whole installation, with the shapes of their values. */
  readonly shapes: ReadonlyMap<string, v.GenericSchema>;
  readonly clockSkewLimitMilliseconds: number;
  readonly metrics: DocumentMetrics;
  readonly log: ReplicationLog;
}

export type ReceiveDocuments = (source: string, sealed: SealedBatch) => Promise<DocumentsAnswer>;

type Sorted = Record<"good" | "deferred" | "skipped", TravellingDocument[]>;

export function receiveDocuments(options: ReceiveDocumentsOptions): ReceiveDocuments {
  const { context, seal, shapes, metrics, log } = options;
  const kinds = [...shapes.keys()].sort().join(" ");

  function sort(documents: readonly TravellingDocument[]): Sorted {
    const sorted: Sorted = { good: [], deferred: [], skipped: [] };
    const latest = context.clock.now() + options.clockSkewLimitMilliseconds;
    for (const document of documents) {
      const ahead = (parseHybridTimestamp(document.clock)?.milliseconds ?? 0) > latest;
      if (!isKnown(document)) sorted.skipped.push(document);
      else sorted[ahead ? "deferred" : "good"].push(document);
    }
    // In one order everywhere: two messages that arrive at once must not wait for each other.
    sorted.good.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    return sorted;
  }

  function isKnown({ kind, value }: TravellingDocument): boolean {
    const shape = shapes.get(kind);
    if (shape === undefined) return false;
    if (value === null) return true;
    try {
      return v.is(shape, JSON.parse(value));
    } catch {
      return false;
    }
  }

  function tell(source: string, { deferred, skipped }: Sorted): void {
    const names = (some: readonly TravellingDocument[]) => some.slice(0, 10).map(keyOf);
    if (deferred.length > 0) {
      const fields = { source, code: "clock_skew", documents: names(deferred) };
      log.warn(fields, "documents of another region have clocks too far ahead; they wait");
    }
    if (skipped.length > 0) {
      const fields = { source, documents: names(skipped) };
      log.warn(fields, "documents of another region are of a form that this version does not know");
    }
  }

  async function hold(source: string, { database, after, upTo }: DocumentBatch, sorted: Sorted) {
    return context.metadata.transaction(async (tx) => {
      const row = await selectDocumentCursorForUpdate(tx, source);
      for (const { account, kind, name } of sorted.good) {
        await selectDocumentForUpdate(tx, account, kind, name);
      }
      let taken = 0;
      for (const document of sorted.good) {
        const actor = replicationActor(document.account, source);
        if (await mergeDocument(context, tx, document, actor)) taken++;
      }
      const known = row?.database_id === database && row.kinds === kinds ? row.sequence : 0;
      // From the beginning it counts also when the numbers here are higher: the source's database
      // may be an older one that was restored.
      const held = after === 0 ? upTo : after <= known ? Math.max(known, upTo) : known;
      if (held !== row?.sequence || known !== row.sequence) {
        await upsertDocumentCursor(tx, {
          region: source,
          database_id: database,
          kinds,
          sequence: held,
          updated_at: context.clock.now(),
        });
      }
      return { held, taken };
    });
  }

  return async (source, sealed) => {
    const batch = seal.open(source, context.region, sealed);
    if (batch.documents.length === 0 && batch.upTo === 0) {
      const row = await selectDocumentCursor(context.metadata.read, source);
      const known = row?.database_id === batch.database && row.kinds === kinds;
      return { held: known ? row.sequence : 0, taken: 0, deferred: 0, skipped: 0 };
    }
    const sorted = sort(batch.documents);
    tell(source, sorted);
    const { held, taken } = await hold(source, batch, sorted);
    const counts = { deferred: sorted.deferred.length, skipped: sorted.skipped.length };
    metrics.received.add(taken, { source, outcome: "taken" });
    metrics.received.add(sorted.good.length - taken, { source, outcome: "known" });
    metrics.received.add(counts.deferred, { source, outcome: "deferred" });
    metrics.received.add(counts.skipped, { source, outcome: "skipped" });
    return { held, taken, ...counts };
  };
}

function keyOf({ account, kind, name }: TravellingDocument): string {
  return `${account} ${kind} ${name}`;
}

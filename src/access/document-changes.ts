/**
 * Tells what documents have changed, so that what was read of them can be forgotten: those of this
 * process at their commit, and those of other processes and nodes by reading the journal, at most
 * once in `freshMilliseconds` and only when something is asked.
 */
import type { Queryable } from "../metadata/metadata-store.ts";
import { selectDocumentChanges, selectLastChangeSequence } from "../metadata/queries/changes.ts";
import type { Clock } from "../runtime/clock.ts";

export interface ChangedDocument {
  readonly account: string;
  readonly kind: string;
  readonly name: string;
}

export interface DocumentChangesOptions {
  readonly journal: Queryable;
  readonly clock: Pick<Clock, "now">;
  /** How long a change by another process may go unseen. */
  readonly freshMilliseconds: number;
  onChange(document: ChangedDocument): void;
  /** So many have changed that it is better to forget everything. */
  onMany(): void;
}

export interface DocumentChanges {
  /** Undefined when nothing needs to be waited for. Before anything that changes may make stale. */
  follow(): Promise<void> | undefined;
}

/** More than one look at the journal takes. */
const changesLimit = 1000;

export function documentChanges(options: DocumentChangesOptions): DocumentChanges {
  const { journal, clock, freshMilliseconds } = options;
  let sequence: number | undefined;
  let checkedAt = Number.NEGATIVE_INFINITY;
  let checking: Promise<void> | undefined;

  async function check(): Promise<void> {
    const startedAt = clock.now();
    const last = await selectLastChangeSequence(journal);
    // Before the first look nothing was read, so nothing can be stale.
    if (sequence !== undefined && last > sequence) await forgetChanged(sequence, last);
    sequence = last;
    checkedAt = startedAt;
  }

  async function forgetChanged(after: number, last: number): Promise<void> {
    const changes = await selectDocumentChanges(journal, after, last, changesLimit);
    if (changes.length >= changesLimit) return options.onMany();
    for (const { account, detail } of changes) options.onChange(changedDocument(account, detail));
  }

  return {
    follow() {
      const age = clock.now() - checkedAt;
      // A clock that was set back must not put the look off.
      if (age >= 0 && age < freshMilliseconds) return undefined;
      checking ??= check().finally(() => {
        checking = undefined;
      });
      return checking;
    },
  };
}

function changedDocument(account: string, detail: string | null): ChangedDocument {
  const { kind, name } = JSON.parse(detail ?? "{}") as { kind?: unknown; name?: unknown };
  return { account, kind: String(kind), name: String(name) };
}

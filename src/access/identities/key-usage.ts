/**
 * When, where and for what access keys of users were used last. Written at most once a minute for
 * each key and without waiting: nobody's request is slower for it. It is kept in the region.
 */
import type { MetadataStore } from "../../metadata/metadata-store.ts";
import { selectSetting, upsertSetting } from "../../metadata/queries/settings.ts";
import type { Clock } from "../../runtime/clock.ts";

export interface KeyUse {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** For example `ecr`. */
  readonly service: string;
  readonly region: string;
}

export interface KeyUsage {
  record(account: string, accessKeyId: string, service: string): void;
  find(account: string, accessKeyId: string): Promise<KeyUse | undefined>;
  /** Waits for what is being written. */
  close(): Promise<void>;
}

export interface KeyUsageOptions {
  readonly metadata: MetadataStore;
  readonly clock: Clock;
  readonly region: string;
  readonly onError: (error: unknown) => void;
}

const intervalMilliseconds = 60_000;
const keysLimit = 10_000;

export function keyUsage(options: KeyUsageOptions): KeyUsage {
  const { metadata, clock, region } = options;
  /** When each key was written last, oldest first. */
  const written = new Map<string, number>();
  const writing = new Set<Promise<void>>();

  async function write(account: string, id: string, use: KeyUse): Promise<void> {
    try {
      await metadata.transaction(
        (tx) => upsertSetting(tx, account, settingName(id), JSON.stringify(use), use.at),
        { durable: false },
      );
    } catch (error) {
      options.onError(error);
    }
  }

  return {
    record(account, id, service) {
      const at = clock.now();
      const last = written.get(id);
      if (last !== undefined && at >= last && at - last < intervalMilliseconds) return;
      written.delete(id);
      written.set(id, at);
      if (written.size > keysLimit) written.delete(written.keys().next().value ?? "");
      const work = write(account, id, { at, service, region });
      writing.add(work);
      void work.then(() => writing.delete(work));
    },
    async find(account, id) {
      await Promise.all(writing);
      const text = await selectSetting(metadata.read, account, settingName(id));
      return text === undefined ? undefined : (JSON.parse(text) as KeyUse);
    },
    close: async () => void (await Promise.all(writing)),
  };
}

function settingName(accessKeyId: string): string {
  return `access_key_last_used ${accessKeyId}`;
}

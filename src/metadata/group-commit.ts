/**
 * One sync of the log makes every commit before it durable. Commits that arrive while a sync runs
 * wait for the next one and share it.
 *
 * After a sync has failed, the system may have dropped the pages that it could not write and marked
 * them clean; a later sync then succeeds without them. So the first failure is final: what is asked
 * afterwards fails too, until the process starts anew and reads what the disk really holds.
 * https://wiki.postgresql.org/wiki/Fsync_Errors
 */

/** The log of the database, as a file. */
export interface LogFile {
  datasync(): Promise<void>;
  close(): Promise<void>;
}

export class LogFailedError extends Error {
  override readonly name = "LogFailedError";
  constructor(cause: unknown) {
    super("the disk did not keep the database's log: no write is taken until a restart", { cause });
  }
}

export interface GroupCommit {
  /** Resolves when everything that was written to the log before the call is on the disk. */
  sync(): Promise<void>;
  /** @throws LogFailedError after a sync has failed */
  check(): void;
  /** A last sync, then closes the file. */
  close(): Promise<void>;
}

export function groupCommit(file: LogFile): GroupCommit {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let failed: LogFailedError | undefined;

  function check() {
    if (failed) throw failed;
  }

  function start(): Promise<void> {
    const sync = (async () => {
      check();
      try {
        await file.datasync();
      } catch (error) {
        failed ??= new LogFailedError(error);
        throw failed;
      } finally {
        running = undefined;
      }
    })();
    running = sync;
    return sync;
  }

  function sync(): Promise<void> {
    if (running === undefined) return start();
    // The running sync may have begun before our commit: wait for the one behind it.
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  }

  return {
    sync,
    check,
    async close() {
      try {
        await sync();
      } finally {
        await file.close();
      }
    },
  };
}

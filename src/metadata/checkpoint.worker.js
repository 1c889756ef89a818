// Runs in a thread of its own, started by checkpointer.ts from this text. The path is sent first.
import { Database } from "bun:sqlite";
import { parentPort } from "node:worker_threads";

/** Frames of one page (4 KiB) in the log beyond which it must be made to start over: 64 MiB. */
const framesLimit = 16_384;
/** A rest below this many frames is copied in a moment. */
const framesRest = 512;

let database;

parentPort.on("message", (message) => {
  try {
    if (message.open !== undefined) {
      database = new Database(message.open);
      database.run("pragma synchronous = normal");
      database.run("pragma busy_timeout = 2000");
    } else if (message.close) {
      database.close();
    } else {
      checkpoint();
    }
    parentPort.postMessage({});
  } catch (error) {
    parentPort.postMessage({ error: String(error) });
  }
});

/**
 * A passive checkpoint blocks nobody, but under constant writing the log never gets short: it is
 * begun anew only when nothing is left in it. Then, after the bulk was copied, writers are held for
 * the rest.
 */
function checkpoint() {
  for (let round = 0; round < 4; round++) {
    const before = run("passive");
    if (before.log < framesLimit) return;
    if (before.log - before.checkpointed < framesRest) break;
  }
  run("restart");
}

function run(mode) {
  return database.query(`pragma wal_checkpoint(${mode})`).get();
}

/**
 * The log of a region that a developer looks at: everything as JSON in a file, and on the terminal
 * one short line for each request that a client made and for each warning.
 */
import { openSync } from "node:fs";
import { systemClock } from "../../src/runtime/clock.ts";
import { type LogLevel, type LogOutput, openLog } from "../../src/runtime/logger.ts";

/** What asks by itself, all the time. */
const quietEndpoints = new Set(["health", "metrics"]);

/** @param isVisible false while the terminal is needed for something else */
export function developmentLog(
  region: string,
  path: string,
  level: LogLevel,
  isVisible: () => boolean,
): LogOutput {
  const file = openLog({
    level,
    descriptor: openSync(path, "a", 0o600),
    now: () => systemClock.now(),
  });
  const show = (text: string) => console.log(`${region.padEnd(10)} ${text}`);
  return {
    flush: () => file.flush(),
    writeLine(line) {
      file.writeLine(line);
      const summary = isVisible() ? summaryOf(line) : undefined;
      if (summary !== undefined) show(summary);
    },
    logger: {
      ...file.logger,
      warn(fields, message) {
        file.logger.warn(fields, message);
        show(`warning: ${message}`);
      },
      error(fields, message) {
        file.logger.error(fields, message);
        show(`error: ${message} (more in ${path})`);
      },
    },
  };
}

interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly durationMilliseconds: number;
  readonly endpoint?: string;
  readonly principal?: string;
}

/** Undefined for requests that nobody wants to see. */
export function summaryOf(line: string): string | undefined {
  const request: LoggedRequest = JSON.parse(line);
  if (quietEndpoints.has(request.endpoint ?? "")) return undefined;
  const from = /^region\/(.+)$/.exec(request.principal ?? "")?.[1];
  return [
    request.status,
    request.method.padEnd(6),
    shortPath(request.path),
    `${request.durationMilliseconds.toFixed(1)} ms`,
    ...(from === undefined ? [] : [`from ${from}`]),
  ].join(" ");
}

/** Without the query, and with digests as short as git shows its own. */
function shortPath(path: string): string {
  return path.replace(/\?.*$/s, "").replace(/(:[0-9a-f]{12})[0-9a-f]{52,}/g, "$1");
}

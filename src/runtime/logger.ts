/** The log: one JSON object a line. */
import pino, { type Logger as PinoLogger } from "pino";
import { lineWriter } from "./line-writer.ts";

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

export type LogFields = Readonly<Record<string, unknown>>;

/** Static messages; everything that varies is a field. No secret in either. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  /** Put what was thrown in `error`. */
  error(fields: LogFields, message: string): void;
  /** The same log with fields that every line has. */
  child(fields: LogFields): Logger;
}

export interface LogOutput {
  readonly logger: Logger;
  /** A line as it is, with its line break, past the logger: see `request-log.ts`. */
  writeLine(line: string): void;
  /** Writes what is gathered, now; for the end of the process. */
  flush(): void;
}

export interface LogOutputOptions {
  readonly level: LogLevel;
  readonly descriptor: number;
  readonly now: () => number;
}

export function openLog(options: LogOutputOptions): LogOutput {
  const time = () => new Date(options.now()).toISOString();
  const writer = lineWriter({
    descriptor: options.descriptor,
    droppedLine: (count) =>
      `${JSON.stringify({ level: "warn", time: time(), lines: count, message: "log lines dropped: the reader is too slow" })}\n`,
  });
  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: "message",
      timestamp: () => `,"time":"${time()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: (error: unknown) => describeError(error) },
    },
    writer,
  );
  return {
    logger: wrap(logger),
    writeLine: (line) => writer.write(line),
    flush: () => writer.flush(),
  };
}

function wrap(logger: PinoLogger): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};

export interface DescribedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: DescribedError;
}

/** @param depth how many causes are followed */
export function describeError(error: unknown, depth = 5): DescribedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const code = (error as { code?: unknown }).code;
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === "string" && { code }),
    ...(error.stack !== undefined && { stack: error.stack }),
    ...(error.cause !== undefined && depth > 0 && { cause: describeError(error.cause, depth - 1) }),
  };
}

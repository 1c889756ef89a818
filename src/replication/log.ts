/** Where replication reports what an operator should read: pino's order of parameters. */
export interface ReplicationLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

export const silentLog: ReplicationLog = { info() {}, warn() {}, error() {} };

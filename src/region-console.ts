/** The console of a region. Its code is loaded when somebody first opens it, not when the server starts. */
import type { PolicyAccess } from "./access/policy-access.ts";
import type { AwsHandlerOptions } from "./aws/handler.ts";
import type { RunningReplication } from "./replication/start-replication.ts";
import type { Configuration } from "./runtime/configuration-entries.ts";
import type { Logger } from "./runtime/logger.ts";
import type { Handler } from "./runtime/request.ts";

export interface RegionConsoleOptions {
  readonly configuration: Configuration;
  /** What the AWS services work with: the console's API opens the same operations. */
  readonly aws: AwsHandlerOptions & { readonly access: PolicyAccess };
  readonly installationKey: Uint8Array;
  readonly replication: RunningReplication | undefined;
  readonly logger: Logger;
}

export interface RegionConsole {
  readonly handler: Handler;
  stop(): Promise<void>;
}

export function regionConsole(options: RegionConsoleOptions): RegionConsole {
  let opening: Promise<RegionConsole> | undefined;
  return {
    async handler(request, context) {
      opening ??= import("./open-console.ts").then(({ openConsole }) => openConsole(options));
      return (await opening).handler(request, context);
    },
    async stop() {
      await (await opening)?.stop();
    },
  };
}

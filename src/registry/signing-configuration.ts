/** Which images are to be signed on push. It is kept; nothing signs yet. */
import { documentKind } from "./documents.ts";

export interface SigningConfiguration {
  readonly rules: readonly {
    readonly signingProfileArn: string;
    /** Absent: every repository. */
    readonly filters?: readonly string[] | undefined;
  }[];
}

export const signingConfigurationKind = documentKind<SigningConfiguration>(
  "signing-configuration",
  "region",
);
export const signingConfigurationName = "registry";

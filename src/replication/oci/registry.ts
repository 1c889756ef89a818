/** A registry that is not of this installation, as a destination. */

/** What opens a registry. Never written to a log. */
export interface RegistryPassword {
  readonly username: string;
  readonly password: string;
}

export interface RegistryCredentials {
  /**
   * @param refused the registry has just refused what was given before
   * @returns undefined to come without
   */
  password(refused: boolean, signal: AbortSignal): Promise<RegistryPassword | undefined>;
  /** Creates a repository that the registry does not create on push; absent where it does. */
  createRepository?(repository: string, signal: AbortSignal): Promise<void>;
}

export interface OciRegistry {
  /** As rules name it in the place of a region. */
  readonly name: string;
  /** `https://registry.example.com`, without a path. */
  readonly endpoint: string;
  /**
   * The name of a repository there, with `{repository}` for its name here and `{account}` for the
   * account.
   */
  readonly repository: string;
  /** The account whose images may go there, unless the names there tell accounts apart. */
  readonly account: string;
  readonly credentials: RegistryCredentials;
}

/** Shapes of the console's API, for both ends. Times are milliseconds since the epoch. */

export interface ApiError {
  readonly code: string;
  readonly message: string;
  /** Of a refusal: the permission that is missing. */
  readonly action?: string;
  readonly resource?: string;
  readonly retryAfterSeconds?: number;
}

/** `GET session` */
export interface SessionAnswer {
  readonly region: string;
  readonly version: string;
  /** Who the session acts as. */
  readonly principal: {
    readonly arn: string;
    readonly account: string;
    readonly kind: "root" | "user" | "assumed-role" | "federated";
  };
  /** Whoever signed in, when a role is assumed. */
  readonly signedInArn?: string;
  readonly expiresAt: number;
  readonly renewableUntil: number;
  /** Where the other regions' consoles are. */
  readonly regions: readonly { readonly name: string; readonly endpoint: string }[];
}

/** `POST session` */
export interface SignInInput {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** `GET repositories` */
export interface RepositoriesAnswer {
  readonly repositories: readonly RepositorySummary[];
  /** How many match, on all pages. */
  readonly count: number;
  /** `after` of the next page; absent on the last. */
  readonly next?: string;
}

export interface RepositorySummary {
  readonly name: string;
  readonly createdAt: number;
  readonly images: number;
  /** Of its newest image. */
  readonly pushedAt?: number;
  readonly tagMutability: string;
}

/** `GET images` */
export interface ImagesAnswer {
  readonly images: readonly ImageSummary[];
  readonly count: number;
  readonly next?: string;
}

export interface ImageSummary {
  readonly digest: string;
  /** The first of them, in byte order. */
  readonly tags: readonly string[];
  readonly tagCount: number;
  readonly mediaType: string;
  readonly artifactType?: string;
  /** Configuration and layers; of an index, those of its largest image. */
  readonly contentBytes: number;
  readonly pushedAt: number;
  readonly pulledAt?: number;
  readonly archived: boolean;
}

/** `GET image` */
export interface ImageAnswer extends ImageSummary {
  readonly manifestBytes: number;
  readonly subject?: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Of an index. */
  readonly platforms: readonly PlatformSummary[];
  readonly layers: readonly { digest: string; mediaType: string; bytes: number }[];
  /** Absent when there is none that can be shown. */
  readonly config?: ImageConfig;
}

export interface PlatformSummary {
  readonly digest: string;
  readonly platform: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ImageConfig {
  readonly digest: string;
  readonly created?: string;
  readonly author?: string;
  readonly architecture?: string;
  readonly os?: string;
  readonly user?: string;
  readonly workingDirectory?: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly environment: readonly string[];
  readonly exposedPorts: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly history: readonly ImageHistoryEntry[];
}

export interface ImageHistoryEntry {
  readonly created?: string;
  readonly createdBy?: string;
  readonly comment?: string;
  readonly isEmptyLayer: boolean;
}

/** `GET image-places` */
export interface ImagePlacesAnswer {
  readonly here: string;
  readonly places: readonly ImagePlace[];
}

/** One image at one destination. */
export interface ImagePlace {
  readonly region: string;
  readonly account: string;
  readonly tag?: string;
  readonly state: "pending" | "complete" | "failed";
  readonly pushedAt: number;
  readonly completedAt?: number;
  /** Since the push; of one that has arrived, what it took. */
  readonly lagMilliseconds: number;
  readonly attempts: number;
  readonly bytesSent: number;
  readonly bytesRemaining: number;
  readonly failure?: {
    readonly code: string;
    readonly side: string;
    readonly text: string;
    readonly at: number;
  };
}

/** `GET chart`, and the event `chart` */
export interface ChartAnswer {
  readonly region: string;
  readonly at: number;
  readonly regions: readonly ChartRegionAnswer[];
  /** From this region; those of others are on their charts. */
  readonly routes: readonly ChartRoute[];
  readonly loss: LossFigure;
}

export interface ChartRegionAnswer {
  readonly name: string;
  readonly endpoint: string;
  /** A registry is only a destination: it has no console and sends nothing. */
  readonly kind: "region" | "registry";
  /** Where the configuration says that it is. */
  readonly place?: { readonly latitude: number; readonly longitude: number };
}

export interface ChartRoute {
  readonly region: string;
  readonly account: string;
  /** A rule of now names it; else it only has images of before. */
  readonly hasRule: boolean;
  readonly state: "idle" | "flowing" | "behind" | "unreachable" | "unknown_region";
  /** Since when it is out of reach. */
  readonly unreachableSince?: number;
  readonly lagMilliseconds: number;
  readonly backlogImages: number;
  readonly backlogBytes: number;
  readonly failedImages: number;
  /** In the last minute, over all accounts. */
  readonly sentImages: number;
  readonly sentBytes: number;
}

/** What would be gone if this region died now. */
export interface LossFigure {
  /** Images that a rule takes and that no other region has yet. */
  readonly images: number;
  /** At most so many bytes of them. */
  readonly bytes: number;
  /** When the oldest of them was pushed. */
  readonly oldestPushedAt?: number;
  /** Repositories with images that no rule takes. */
  readonly repositoriesWithoutRule: number;
}

/** The event `changes` */
export interface ChangesEvent {
  /** Names; of more than a few hundred the first. */
  readonly repositories: readonly string[];
  /** Settings of the registry changed, or more than could be listed. */
  readonly registry: boolean;
}

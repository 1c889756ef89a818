/** Lag and backlog as gauges. One that was shown once goes to zero when its destination has caught up. */
import type { DestinationLag } from "./destination-lag.ts";
import type { ReplicationMetrics } from "./metrics.ts";

export interface LagGauges {
  show(lags: readonly DestinationLag[]): void;
}

export function lagGauges(metrics: ReplicationMetrics): LagGauges {
  const shown = new Map<string, { region: string; account: string }>();
  return {
    show(lags) {
      for (const labels of shown.values()) set(labels, 0, 0, 0, 0);
      for (const lag of lags) {
        const labels = { region: lag.region, account: lag.registryId };
        shown.set(`${labels.region}/${labels.account}`, labels);
        const { lagMilliseconds, backlogImages, backlogBytes, failedImages } = lag;
        set(labels, lagMilliseconds / 1000, backlogImages, backlogBytes, failedImages);
      }
    },
  };

  function set(
    labels: { region: string; account: string },
    seconds: number,
    images: number,
    bytes: number,
    failed: number,
  ): void {
    metrics.lag.set(seconds, labels);
    metrics.backlogImages.set(images, labels);
    metrics.backlogBytes.set(bytes, labels);
    metrics.failedImages.set(failed, labels);
  }
}

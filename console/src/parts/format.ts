/** Amounts as people read them, in the reader's language. */
import { useMemo } from "react";
import { usePreferences } from "../preferences.tsx";

const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"] as const;
const steps = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
] as const;
const shortest = ["millisecond", 1] as const;

export function useFormat() {
  const { language } = usePreferences();
  return useMemo(() => {
    const whole = new Intl.NumberFormat(language);
    const exact = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "long" });
    const short = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
    const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
    return {
      count: (value: number) => whole.format(value),
      bytes(value: number): string {
        const step = Math.min(
          units.length - 1,
          value < 1 ? 0 : Math.floor(Math.log10(value) / 3 + 1e-9),
        );
        return new Intl.NumberFormat(language, {
          style: "unit",
          unit: units[step] ?? "byte",
          unitDisplay: step === 0 ? "long" : "short",
          maximumFractionDigits: step === 0 ? 0 : 1,
        }).format(value / 1000 ** step);
      },
      duration(milliseconds: number): string {
        const [unit, length] = steps.find(([, each]) => milliseconds >= each) ?? shortest;
        const value = milliseconds / length;
        return new Intl.NumberFormat(language, {
          style: "unit",
          unit,
          unitDisplay: "narrow",
          maximumFractionDigits: value < 10 && unit !== "millisecond" ? 1 : 0,
        }).format(value);
      },
      exactTime: (at: number) => exact.format(at),
      shortTime: (at: number) => short.format(at),
      /** `3 minutes ago`; undefined for what is longer ago than a week. */
      ago(at: number, now: number): string | undefined {
        const passed = now - at;
        if (Math.abs(passed) >= 7 * 86_400_000) return undefined;
        const [unit, length] = steps.find(([, each]) => Math.abs(passed) >= each) ?? [
          "second",
          1000,
        ];
        return relative.format(-Math.round(passed / length), unit);
      },
    };
  }, [language]);
}

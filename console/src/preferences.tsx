/** How somebody likes the console. Kept in the browser; nothing else is. */
import { I18nProvider, type I18nProviderProps } from "@cloudscape-design/components/i18n";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { english } from "./text/english.ts";
import { type Language, languages, loadLanguage, TextContext } from "./text/text.tsx";

export type Theme = "system" | "light" | "dark";
export type Density = "comfortable" | "compact";

export interface Preferences {
  readonly theme: Theme;
  readonly density: Density;
  readonly language: Language;
}

interface PreferencesControl extends Preferences {
  readonly set: (change: Partial<Preferences>) => void;
}

const storageName = "portolan-preferences";

function oneOf<T extends string>(value: unknown, values: readonly T[]): T | undefined {
  return values.find((each) => each === value);
}

function ownLanguage(): Language {
  return navigator.language.toLowerCase().startsWith("pt") ? "pt-BR" : "en";
}

function read(): Preferences {
  let stored: Partial<Record<keyof Preferences, unknown>> = {};
  try {
    stored = JSON.parse(localStorage.getItem(storageName) ?? "{}") ?? {};
  } catch {
    // Storage is forbidden, or somebody wrote something else there.
  }
  return {
    theme: oneOf(stored.theme, ["system", "light", "dark"]) ?? "system",
    density: oneOf(stored.density, ["comfortable", "compact"]) ?? "comfortable",
    language: oneOf(stored.language, languages) ?? ownLanguage(),
  };
}

const Context = createContext<PreferencesControl | undefined>(undefined);

export function usePreferences(): PreferencesControl {
  const preferences = useContext(Context);
  if (preferences === undefined) throw new Error("there is no PreferencesProvider");
  return preferences;
}

export function PreferencesProvider({ children }: { children: ReactNode }) {
  const [preferences, setPreferences] = useState(read);
  const { theme, density, language } = preferences;
  const [messages, setMessages] = useState<{
    language: Language;
    text: typeof english;
    components: I18nProviderProps.Messages;
  }>({ language: "en", text: english, components: {} });

  useEffect(() => {
    let current = true;
    document.documentElement.lang = language;
    void loadLanguage(language).then((loaded) => {
      if (current) setMessages({ language, ...loaded });
    });
    return () => {
      current = false;
    };
  }, [language]);

  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const apply = () => {
      const dark = theme === "dark" || (theme === "system" && system.matches);
      document.body.classList.toggle("awsui-dark-mode", dark);
    };
    apply();
    system.addEventListener("change", apply);
    return () => system.removeEventListener("change", apply);
  }, [theme]);

  useEffect(() => {
    document.body.classList.toggle("awsui-compact-mode", density === "compact");
  }, [density]);

  const control = useMemo(
    () => ({
      ...preferences,
      set(change: Partial<Preferences>) {
        const changed = { ...preferences, ...change };
        setPreferences(changed);
        try {
          localStorage.setItem(storageName, JSON.stringify(changed));
        } catch {
          // They count until the page is closed.
        }
      },
    }),
    [preferences],
  );
  return (
    <Context value={control}>
      <TextContext value={messages.text}>
        <I18nProvider locale={messages.language} messages={[messages.components]}>
          {children}
        </I18nProvider>
      </TextContext>
    </Context>
  );
}

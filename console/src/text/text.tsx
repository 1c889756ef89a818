/** The words of the console. English comes with the page, others are loaded when they are wanted. */
import type { I18nProviderProps } from "@cloudscape-design/components/i18n";
import { createContext, useContext } from "react";
import { english } from "./english.ts";

export type Text = typeof english;
export type Language = "en" | "pt-BR";
export const languages: readonly Language[] = ["en", "pt-BR"];
export const languageNames: Readonly<Record<Language, string>> = {
  en: "English",
  "pt-BR": "Português (Brasil)",
};

export const TextContext = createContext<Text>(english);

export function useText(): Text {
  return useContext(TextContext);
}

export async function loadLanguage(
  language: Language,
): Promise<{ text: Text; components: I18nProviderProps.Messages }> {
  if (language === "pt-BR") {
    const [{ portuguese }, components] = await Promise.all([
      import("./portuguese.ts"),
      import("@cloudscape-design/components/i18n/messages/all.pt-BR"),
    ]);
    return { text: portuguese, components: components.default };
  }
  const components = await import("@cloudscape-design/components/i18n/messages/all.en");
  return { text: english, components: components.default };
}

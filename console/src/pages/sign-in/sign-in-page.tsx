/** Signing in with an access key. The secret is sent once and kept nowhere in the browser. */
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type FormEvent, useEffect, useState } from "react";
import type { SignInInput } from "../../../../src/console/api-types.ts";
import { api } from "../../api.ts";
import { useText } from "../../text/text.tsx";

export default function SignInPage({ onSignedIn }: { onSignedIn: () => Promise<void> }) {
  const text = useText();
  const [accessKeyId, setAccessKeyId] = useState("");
  const [secretAccessKey, setSecretAccessKey] = useState("");
  const [sessionToken, setSessionToken] = useState("");
  const [error, setError] = useState("");
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = `${text.signIn.title} – ${text.product}`;
  }, [text]);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setAsked(true);
    const id = accessKeyId.trim();
    const secret = secretAccessKey.trim();
    const token = sessionToken.trim();
    if (id === "" || secret === "" || busy) return;
    setBusy(true);
    setError("");
    try {
      const input: SignInInput = {
        accessKeyId: id,
        secretAccessKey: secret,
        ...(token !== "" && { sessionToken: token }),
      };
      await api.post("session", input);
      setSecretAccessKey("");
      await onSignedIn();
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
    } finally {
      setBusy(false);
    }
  }

  const missing = (value: string) => (asked && value.trim() === "" ? text.signIn.required : "");
  return (
    <main className="sign-in">
      <form onSubmit={submit}>
        <Container
          header={
            <Header variant="h1" description={text.signIn.description}>
              {text.signIn.title}
            </Header>
          }
        >
          <Form
            errorText={error}
            actions={
              <Button variant="primary" formAction="submit" loading={busy}>
                {text.signIn.submit}
              </Button>
            }
          >
            <SpaceBetween size="l">
              <FormField label={text.signIn.accessKeyId} errorText={missing(accessKeyId)}>
                <Input
                  name="username"
                  value={accessKeyId}
                  autoFocus
                  autoComplete="username"
                  spellcheck={false}
                  onChange={({ detail }) => setAccessKeyId(detail.value)}
                />
              </FormField>
              <FormField label={text.signIn.secretAccessKey} errorText={missing(secretAccessKey)}>
                <Input
                  name="password"
                  type="password"
                  value={secretAccessKey}
                  autoComplete="current-password"
                  onChange={({ detail }) => setSecretAccessKey(detail.value)}
                />
              </FormField>
              <ExpandableSection headerText={text.signIn.sessionToken}>
                <FormField
                  label={text.signIn.sessionToken}
                  description={text.signIn.sessionTokenHint}
                >
                  <Input
                    type="password"
                    value={sessionToken}
                    autoComplete={false}
                    onChange={({ detail }) => setSessionToken(detail.value)}
                  />
                </FormField>
              </ExpandableSection>
            </SpaceBetween>
          </Form>
        </Container>
      </form>
      <Box textAlign="center" color="text-body-secondary" padding="l">
        {window.location.host}
      </Box>
    </main>
  );
}

-- Who is signed in to the console. The id is a hash: what stands here opens nothing.
create table console_sessions (
  id text primary key,
  account text not null,
  -- ARN that policies are attached to, of whoever signed in.
  identity text not null,
  access_key_id text not null,
  -- Of temporary credentials.
  session_token text,
  -- A keyed hash of the secret key: the session ends when the secret is another.
  secret_proof text not null,
  -- Credentials of the role that was assumed after signing in.
  role_access_key_id text,
  role_session_token text,
  created_at bigint not null,
  expires_at bigint not null,
  renewable_until bigint not null
);
create index console_sessions_by_identity on console_sessions (identity, created_at);
create index console_sessions_by_expiry on console_sessions (expires_at);
-- Images are shown newest first.
create index manifests_by_pushed_at on manifests (repository_id, pushed_at, digest);

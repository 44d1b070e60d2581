// Comes to a server that asks for access tokens, as @modelcontextprotocol/sdk 1.x or @modelcontextprotocol/client 2.x:
// `node drive_oauth.mjs 1|2 ENDPOINT`. The user that it should send to a browser is played here: the redirect is followed at once.

import { check, expect } from './common.mjs';

const [major, endpoint] = process.argv.slice(2);
const name = `oauth ts${major}`;
const { Client, StreamableHTTPClientTransport } = major === '1'
  ? { ...await import('@modelcontextprotocol/sdk/client/index.js'), ...await import('@modelcontextprotocol/sdk/client/streamableHttp.js') }
  : await import('@modelcontextprotocol/client');

// Keeps what the client is given, and says yes to everything.
class Provider {
  times = 0;
  get redirectUrl() { return 'http://127.0.0.1:9/callback'; }
  get clientMetadata() {
    return {
      client_name: 'the tests', redirect_uris: [this.redirectUrl], grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'], token_endpoint_auth_method: 'none',
    };
  }
  clientInformation() { return this.client; }
  saveClientInformation(client) { this.client = client; }
  tokens() { return this.kept; }
  saveTokens(tokens) { this.kept = tokens; }
  codeVerifier() { return this.verifier; }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  async redirectToAuthorization(url) {
    this.times += 1;
    const answer = await fetch(url, { redirect: 'manual' });
    this.back = new URL(answer.headers.get('location')).searchParams;
  }
}

async function calls(provider) {
  const connect = async () => {
    const transport = new StreamableHTTPClientTransport(new URL(endpoint), { authProvider: provider });
    const client = new Client({ name: 'oauth', version: '1' });
    try {
      await client.connect(transport);
      return client;
    } catch (error) {
      if (!provider.back) throw error;
      const { back } = provider;
      provider.back = undefined;
      await (major === '1' ? transport.finishAuth(back.get('code')) : transport.finishAuth(back));
      return connect();
    }
  };
  const client = await connect();
  const tools = (await client.listTools()).tools.map((tool) => tool.name);
  expect('a tool called echo', true, tools.includes('echo'));
  const result = await client.callTool({ name: 'echo', arguments: { text: 'by an access token' } });
  expect('what it says', 'by an access token', result.content[0].text);
  await client.close();
}

const provider = new Provider();
await check(`${name}, finds the authorization server, and calls`, async () => {
  await calls(provider);
  expect('how often the user was asked', 1, provider.times);
});
await check(`${name}, comes again with its token`, async () => {
  await calls(provider);
  expect('how often the user was asked', 1, provider.times);
});
await check(`${name}, gets another for one that is refused`, async () => {
  provider.kept = { ...provider.kept, access_token: 'a.b.c', refresh_token: undefined };
  await calls(provider);
  expect('how often the user was asked', 2, provider.times);
});
process.exit(0);

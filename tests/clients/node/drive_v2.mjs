// Drives a server with @modelcontextprotocol/client 2.x: `node drive_v2.mjs BASE_URL [ONLY]`, BASE_URL without a path.

import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Arrivals, Inbox, MODERN, NOTICE_MS, OLDER, cuttableProxy, expect, getStream, recordingFetch, runModes, within } from './common.mjs';
import { Answers, CAPABILITIES, FEATURES, cutCall, missedEvent, serverEndsTheStream } from './features.mjs';

const TOOLS = { toolsListChanged: true };

/// `byHand`: a modern client opens its listen stream with listen(); else its listChanged handler makes it do so itself.
async function open(url, mode, { Transport = StreamableHTTPClientTransport, byHand = false } = {}) {
  const inbox = new Inbox();
  const answers = new Arrivals();
  const changes = [];
  const transport = new Transport(new URL(url), { fetch: recordingFetch(answers) });
  transport.onmessage = (message) => inbox.put(message);
  const onChanged = (error, tools) => changes.push({ error, tools });
  const client = new Client({ name: 'ts2', version: '1' }, {
    capabilities: CAPABILITIES,
    versionNegotiation: { mode },
    ...(byHand ? {} : { listChanged: { tools: { autoRefresh: true, debounceMs: 0, onChanged } } }),
  });
  if (byHand) client.setNotificationHandler('notifications/tools/list_changed', () => void changes.push({ tools: [{ name: 'echo' }] }));
  const own = new Answers();
  client.setRequestHandler('elicitation/create', async (request) => own.elicited(request.params));
  client.setRequestHandler('sampling/createMessage', async (request) => own.sampled(request.params));
  client.setRequestHandler('roots/list', async () => own.rooted());
  await client.connect(transport);
  const modern = client.getNegotiatedProtocolVersion() === MODERN;
  const seen = (before) => ({
    honoured(count) {
      const now = changes.slice(before);
      expect('errors of the list_changed handler', [], now.filter((c) => c.error).map((c) => c.error.message));
      expect('calls of the list_changed handler, each with the tools', Array(count).fill(true),
        now.map((c) => c.tools?.some((tool) => tool.name === 'echo')));
    },
  });
  return {
    client, transport, inbox, gets: answers, answers: own,
    whole: (params) => client.callTool(params),
    async watch(uri) {
      if (modern) {
        const subscription = await client.listen({ resourceSubscriptions: [uri] });
        expect('honoured filter', { resourceSubscriptions: [uri] }, subscription.honoredFilter);
        return () => subscription.close();
      }
      if (transport instanceof StreamableHTTPClientTransport) await getStream(answers);
      await client.subscribeResource({ uri });
      return () => client.unsubscribeResource({ uri });
    },
    revision: client.getNegotiatedProtocolVersion(),
    listTools: async () => (await client.listTools(undefined, { cacheMode: 'bypass' })).tools.map((tool) => tool.name),
    call: (name, args, onprogress) => call(client, name, args, { onprogress }),
    async callThenCancel(name, args, underWay) {
      const stop = new AbortController();
      const ended = call(client, name, args, { signal: stop.signal, timeout: 60_000 }).then(() => 'an answer', () => 'a rejection');
      await underWay();
      stop.abort('test');
      expect('end of a cancelled call', 'a rejection', await ended);
    },
    ping: () => client.ping(),
    async listening() {
      if (modern && byHand) {
        const subscription = await client.listen(TOOLS);
        expect('honoured filter', TOOLS, subscription.honoredFilter);
        const done = async () => {
          await subscription.close();
          expect('how the subscription ended', 'local', await within(NOTICE_MS, 'end of the subscription', subscription.closed));
        };
        return { ...seen(changes.length), done };
      }
      if (modern) expect('honoured filter', TOOLS, client.autoOpenedSubscription?.honoredFilter);
      else if (transport instanceof StreamableHTTPClientTransport) await getStream(answers);
      return seen(changes.length);
    },
    async close() {
      if (!modern && transport.terminateSession) await transport.terminateSession();
      await client.close();
    },
  };
}

async function call(client, name, args, options) {
  const result = await client.callTool({ name, arguments: args }, options);
  return [result.isError === true, result.content.find((block) => block.type === 'text')?.text ?? ''];
}

const base = process.argv[2].replace(/\/$/, '');
const mcp = `${base}/mcp`;
const legacyAt = (at) => open(`${at}/mcp`, 'legacy');
const legacy = () => legacyAt(base);
const pinned = () => open(mcp, { pin: MODERN }, { byHand: true });

/// The listen stream is cut: the client says so, and a new one brings what changes.
async function listensAgain() {
  const proxy = await cuttableProxy(base);
  const peer = await open(`${proxy.base}/mcp`, { pin: MODERN }, { byHand: true });
  const rival = await legacy();
  try {
    const first = await peer.client.listen(TOOLS);
    proxy.cut();
    expect('how the subscription ended', 'remote', await within(NOTICE_MS, 'end of the cut subscription', first.closed));
    const second = await peer.client.listen(TOOLS);
    const since = peer.inbox.items.length;
    await rival.call('notify');
    await peer.inbox.exactlyOnce('notifications/tools/list_changed', since);
    await second.close();
  } finally {
    await rival.close();
    await peer.close();
    proxy.close();
  }
}

await runModes([
  { name: 'ts2 sse /mcp', revision: OLDER, connect: () => open(mcp, 'legacy', { Transport: SSEClientTransport }), rival: pinned },
  { name: 'ts2 legacy', revision: OLDER, connect: legacy, rival: pinned,
    more: {
      'the server ends the stream of a call': () => serverEndsTheStream(legacy),
      "a call's stream is cut": () => cutCall(base, legacyAt),
      "the session's stream is cut": () => missedEvent(base, legacyAt, pinned),
    } },
  { name: 'ts2 auto, listChanged handler', revision: MODERN, connect: () => open(mcp, 'auto'), rival: legacy },
  { name: 'ts2 2026-07-28, listen()', revision: MODERN, connect: pinned, rival: legacy, more: { 'listen again after a cut': listensAgain } },
  { name: 'ts2 2026-07-28 /mcp/', revision: MODERN, connect: () => open(`${mcp}/`, { pin: MODERN }), rival: legacy },
], FEATURES, process.argv[3]);

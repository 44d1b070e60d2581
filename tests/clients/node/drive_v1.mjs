// Drives a server with @modelcontextprotocol/sdk 1.x: `node drive_v1.mjs BASE_URL [ONLY]`, BASE_URL without a path.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema, ElicitRequestSchema, EmptyResultSchema, InitializeResultSchema, ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { Arrivals, Inbox, NOTICE_MS, OLDER, cuttableProxy, expect, getStream, recordingFetch, runModes } from './common.mjs';
import { Answers, CAPABILITIES, FEATURES, cutCall, missedEvent, serverEndsTheStream } from './features.mjs';

const INFO = { name: 'ts1', version: '1' };

async function open(Transport, url) {
  const inbox = new Inbox();
  const answers = new Arrivals();
  const changes = [];
  const transport = new Transport(new URL(url), { fetch: recordingFetch(answers) });
  transport.onmessage = (message) => inbox.put(message);
  const client = new Client(INFO, {
    capabilities: CAPABILITIES,
    listChanged: { tools: { autoRefresh: true, debounceMs: 0, onChanged: (error, tools) => changes.push({ error, tools }) } },
  });
  const own = new Answers();
  client.setRequestHandler(ElicitRequestSchema, (request) => own.elicited(request.params));
  client.setRequestHandler(CreateMessageRequestSchema, (request) => own.sampled(request.params));
  client.setRequestHandler(ListRootsRequestSchema, () => own.rooted());
  await client.connect(transport);
  return {
    client, transport, inbox, gets: answers, answers: own,
    whole: (params) => client.callTool(params),
    async watch(uri) {
      if (transport instanceof StreamableHTTPClientTransport) await getStream(answers);
      await client.subscribeResource({ uri });
      return () => client.unsubscribeResource({ uri });
    },
    revision: inbox.items.find((m) => m.result?.protocolVersion)?.result.protocolVersion,
    listTools: async () => (await client.listTools()).tools.map((tool) => tool.name),
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
      if (transport instanceof StreamableHTTPClientTransport) await getStream(answers);
      const before = changes.length;
      return {
        honoured(count) {
          const seen = changes.slice(before);
          expect('errors of the listChanged handler', [], seen.filter((c) => c.error).map((c) => c.error.message));
          expect('calls of the listChanged handler, each with the tools', Array(count).fill(true),
            seen.map((c) => c.tools?.some((tool) => tool.name === 'echo')));
        },
      };
    },
    async close() {
      if (transport.terminateSession) await transport.terminateSession();
      await client.close();
    },
  };
}

async function call(client, name, args, options) {
  const result = await client.callTool({ name, arguments: args }, undefined, options);
  return [result.isError === true, result.content.find((block) => block.type === 'text')?.text ?? ''];
}

const base = process.argv[2].replace(/\/$/, '');
const sse = () => open(SSEClientTransport, `${base}/sse`);
const httpAt = (at) => open(StreamableHTTPClientTransport, `${at}/mcp`);
const http = () => httpAt(base);

/// The stream is cut; the EventSource comes back by itself, naming a revision this time, and gets a new endpoint.
async function sseComesBack(path) {
  const proxy = await cuttableProxy(base);
  const peer = await open(SSEClientTransport, `${proxy.base}${path}`);
  const rival = await http();
  try {
    const endpoints = new Arrivals();
    peer.transport._eventSource.addEventListener('endpoint', (event) => endpoints.put(event.data));
    const old = peer.transport._endpoint.href;
    proxy.cut();
    await endpoints.until(12_000, 'endpoint event after the cut', (items) => items.length > 0);
    const fresh = new URL(endpoints.items[0], proxy.base).href;
    expect('the new endpoint is another one', true, fresh !== old);
    expect('the endpoint that the transport uses', fresh, peer.transport._endpoint.href);
    const gets = peer.gets.items.filter((a) => a.method === 'GET');
    expect('statuses of the GETs', [200, 200], gets.map((g) => g.status));
    expect('revision that the second GET names', OLDER, gets[1].sent['mcp-protocol-version']);
    // As an application would: introduce itself again on the new stream, then go on.
    const hello = { protocolVersion: OLDER, capabilities: {}, clientInfo: INFO };
    const answer = await peer.client.request({ method: 'initialize', params: hello }, InitializeResultSchema);
    expect('revision after the cut', OLDER, answer.protocolVersion);
    await peer.client.notification({ method: 'notifications/initialized' });
    expect('echo after the cut', [false, 'back'], await peer.call('echo', { text: 'back' }));
    await peer.client.request({ method: 'ping' }, EmptyResultSchema);
    const since = peer.inbox.items.length;
    await rival.call('notify');
    await peer.inbox.exactlyOnce('notifications/tools/list_changed', since);
  } finally {
    await rival.close();
    await peer.client.close();
    proxy.close();
  }
}

/// The GET stream of a session is cut; the transport opens it again, and the session goes on.
async function streamComesBack() {
  const proxy = await cuttableProxy(base);
  const peer = await open(StreamableHTTPClientTransport, `${proxy.base}/mcp`);
  const rival = await sse();
  try {
    const first = await getStream(peer.gets);
    proxy.cut();
    const second = await getStream(peer.gets, 2);
    expect('session of the second GET', first.sent['mcp-session-id'], second.sent['mcp-session-id']);
    expect('echo after the cut', [false, 'back'], await peer.call('echo', { text: 'back' }));
    const since = peer.inbox.items.length;
    await rival.call('notify');
    await peer.inbox.exactlyOnce('notifications/tools/list_changed', since);
  } finally {
    await rival.close();
    await peer.close();
    proxy.close();
  }
}

/// DELETE ends the session: its id is unknown afterwards, and the client is told so with a 404.
async function deleteEndsTheSession() {
  const peer = await http();
  const id = peer.transport.sessionId;
  if (id === undefined) return; // a server without sessions has none to end
  await peer.close();
  const response = await fetch(`${base}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-session-id': id, 'mcp-protocol-version': OLDER },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    signal: AbortSignal.timeout(NOTICE_MS),
  });
  await response.text();
  expect('status for a session that was ended', 404, response.status);
}

await runModes([
  { name: 'ts1 sse /mcp', revision: OLDER, connect: () => open(SSEClientTransport, `${base}/mcp`), rival: http,
    more: { 'reconnect after a cut': () => sseComesBack('/mcp') } },
  { name: 'ts1 sse /sse', revision: OLDER, connect: sse, rival: http, more: { 'reconnect after a cut': () => sseComesBack('/sse') } },
  { name: 'ts1 http /mcp', revision: OLDER, connect: http, rival: sse,
    more: {
      'GET stream comes back after a cut': streamComesBack,
      'the server ends the stream of a call': () => serverEndsTheStream(http),
      "a call's stream is cut": () => cutCall(base, httpAt),
      "the session's stream is cut": () => missedEvent(base, httpAt, sse),
      'DELETE ends the session': deleteEndsTheSession,
    } },
  { name: 'ts1 http /mcp/', revision: OLDER, connect: () => open(StreamableHTTPClientTransport, `${base}/mcp/`), rival: http },
], FEATURES, process.argv[3]);

// What every TypeScript driver does with a client, whatever its version: the twin of ../python/{common,checks,modes}.py.
// One line for each check: `ok NAME` or `FAIL NAME: why`. The process exits with 1 when any failed.

import { isDeepStrictEqual, inspect } from 'node:util';
import net from 'node:net';

export const CHECK_MS = 15_000; // a check that takes longer has hung
export const MORE_MS = 25_000; // one of those that wait for a client to come back
export const NOTICE_MS = 5_000; // a notification or a cancellation arrives within this
export const QUIET_MS = 400; // nothing more may come for so long once what comes only once has come
export const OLDER = '2025-11-25';
export const MODERN = '2026-07-28';
export const LIST_CHANGED = 'notifications/tools/list_changed';
export const MESSAGE = 'notifications/message';
const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';

const AWKWARD = {
  plain: 'hello',
  empty: '',
  unicode: 'Grüße, Ωmega, עברית, 漢字, e\u0301',
  emoji: '👩‍👩‍👧‍👦 🏳️‍🌈 \u{1f600}\u{10437}',
  quotes: '"double" \'single\' `back` \\ backslash \\\\ \\n \\u0041 / </script>',
  newlines: 'one\ntwo\r\nthree\rfour\n\nsix\ttab',
  'event stream look-alike': 'data: x\n\nevent: endpoint\ndata: /evil\n\n: comment\nid: 7',
  controls: 'nul \x00 bell \x07 esc \x1b del \x7f nel \x85 ls \u2028 ps \u2029 bom \ufeff',
  'json look-alike': '{"jsonrpc":"2.0","id":1,"result":{}}',
  'three thousand bytes': '0123456789ä'.repeat(250) + 'end',
  'three thousand escapes': '"\\\n'.repeat(1000),
};

export class CheckFailed extends Error {}

export function expect(what, expected, got) {
  if (!isDeepStrictEqual(expected, got)) throw new CheckFailed(`${what}: expected ${short(expected)}, got ${short(got)}`);
}

function short(value) {
  const text = inspect(value, { breakLength: Infinity, maxStringLength: 240 });
  return text.length <= 300 ? text : `${text.slice(0, 200)} ...(${text.length} characters)... ${text.slice(-60)}`;
}

export function why(error) {
  if (error instanceof CheckFailed) return error.message;
  const cause = error?.cause ? ` (${why(error.cause)})` : '';
  return `${error?.name ?? 'Error'}: ${String(error?.message ?? error)}${cause}`.replaceAll('\n', ' ');
}

/// The promise, or a failure after `ms`; `what` names it.
export function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new CheckFailed(`${what}: no end within ${ms / 1000} s`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/// A list that can be waited on.
export class Arrivals {
  items = [];
  #waiters = new Set();

  put(item) {
    this.items.push(item);
    for (const waiter of [...this.#waiters]) waiter();
  }

  /// Resolves when `test(items)` holds.
  async until(ms, what, test) {
    if (test(this.items)) return;
    let waiter;
    const held = new Promise((resolve) => {
      waiter = () => test(this.items) && resolve();
      this.#waiters.add(waiter);
    });
    await within(ms, what, held).finally(() => this.#waiters.delete(waiter));
  }
}

/// Every JSON-RPC message that the transport brought, before the client could merge or hide any.
export class Inbox extends Arrivals {
  matching(method, since, data) {
    return this.items.slice(since).filter((m) => m.method === method && (data === undefined || m.params?.data === data));
  }

  /// Wait for the notification, then see that it does not come again.
  async exactlyOnce(method, since, data) {
    await this.until(NOTICE_MS, method, () => this.matching(method, since, data).length > 0);
    await sleep(QUIET_MS);
    expect(`number of ${method}`, 1, this.matching(method, since, data).length);
    return this.matching(method, since, data)[0];
  }
}

/// A fetch that records each answered request: {method, status, headers sent}.
export function recordingFetch(answers) {
  return async (url, init) => {
    const response = await fetch(url, init);
    const sent = Object.fromEntries(new Headers(init?.headers));
    answers.put({ method: init?.method ?? 'GET', status: response.status, sent, url: String(url) });
    return response;
  };
}

/// Waits for the `count`th answered GET of a transport and wants a stream.
export async function getStream(answers, count = 1) {
  const gets = () => answers.items.filter((a) => a.method === 'GET');
  await answers.until(NOTICE_MS, `answer to GET number ${count}`, () => gets().length >= count);
  expect('status of the GET for the server\'s stream', 200, gets()[count - 1].status);
  return gets()[count - 1];
}

/// A TCP proxy on a free port of its own, whose connections the test can cut.
export async function cuttableProxy(base) {
  const target = new URL(base);
  const pairs = new Set();
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(target.port), target.hostname);
    const pair = [client, upstream];
    pairs.add(pair);
    for (const [from, to] of [[client, upstream], [upstream, client]]) {
      from.on('error', () => {});
      from.on('close', () => { to.destroy(); pairs.delete(pair); });
      from.pipe(to);
    }
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    base: `http://127.0.0.1:${server.address().port}${target.pathname.replace(/\/$/, '')}`,
    cut() { for (const [client, upstream] of [...pairs]) { client.destroy(); upstream.destroy(); } },
    close() { this.cut(); server.close(); },
  };
}

// A peer: {revision, inbox, listTools(), call(name, arguments, onprogress) -> [isError, text], callThenCancel(name,
// arguments, underWay), whole(params) -> the result, client, answers, watch(uri) -> its end, ping() or undefined, listening() -> {honoured?(), done()}, close()}. `call` rejects with an
// error that has `code` when the server answered with a JSON-RPC error.

const CHECKS = {
  async 'negotiated revision'(mode, peer) {
    expect('negotiated revision', mode.revision, peer.revision);
  },

  async 'tools/list'(mode, peer) {
    const names = await peer.listTools();
    expect('duplicate tool names', [], names.filter((n, i) => names.indexOf(n) !== i));
    const wanted = ['echo', 'add', 'notify', 'broadcast', 'slow_compute', 'cancelled_count', 'test_tool_with_progress'];
    expect('tools missing from tools/list', [], wanted.filter((n) => !names.includes(n)));
  },

  async 'echo of awkward texts'(mode, peer) {
    for (const [kind, text] of Object.entries(AWKWARD)) expect(`echo of ${kind}`, [false, text], await peer.call('echo', { text }));
  },

  async add(mode, peer) {
    for (const [a, b] of [[1, 2], [-5, 3], [0, 0], [2 ** 31 - 2, 1], [-(2 ** 31) + 1, -1]]) {
      expect(`add ${a} and ${b}`, [false, String(a + b)], await peer.call('add', { a, b }));
    }
  },

  async 'call without arguments'(mode, peer) {
    expect('test_simple_text', [false, 'This is a simple text response for testing.'], await peer.call('test_simple_text'));
  },

  async 'unknown tool'(mode, peer) {
    let came;
    try {
      came = await peer.call('no_such_tool', {});
    } catch (error) {
      if (error instanceof CheckFailed) throw error;
      expect(`code of the error for an unknown tool (${why(error)})`, -32602, error.code);
      return;
    }
    throw new CheckFailed(`unknown tool: expected JSON-RPC error -32602, got the result ${short(came)}`);
  },

  async 'wrong arguments'(mode, peer) {
    for (const [args, name] of [[{ a: 'x', b: 2 }, 'a'], [{ a: 1 }, 'b'], [{ a: 1, b: null }, 'b'], [{ a: 1, b: 1.5 }, 'b']]) {
      const [isError, text] = await peer.call('add', args);
      expect(`isError of add ${short(args)} (text ${short(text)})`, true, isError);
      if (!text.includes(name)) throw new CheckFailed(`add ${short(args)}: expected a text that names the field "${name}", got ${short(text)}`);
    }
    expect('isError of echo without its text', true, (await peer.call('echo', {}))[0]);
  },

  async 'tool error'(mode, peer) {
    const [isError, text] = await peer.call('test_error_handling');
    expect('isError of test_error_handling', true, isError);
    if (!text) throw new CheckFailed('test_error_handling: expected a text that says what went wrong, got none');
  },

  async 'progress in order'(mode, peer) {
    const came = new Arrivals();
    const [isError] = await peer.call('test_tool_with_progress', undefined, (p) => came.put([p.progress, p.total]));
    expect('isError of test_tool_with_progress', false, isError);
    await came.until(1000, 'third progress', (items) => items.length >= 3).catch(() => {});
    expect('progress [value, total], in order', [[0, 100], [50, 100], [100, 100]], came.items);
  },

  async 'list_changed once, caused by another client'(mode, peer) {
    const stream = await peer.listening();
    const rival = await mode.rival();
    try {
      let since = peer.inbox.items.length;
      await rival.call('notify');
      const message = await peer.inbox.exactlyOnce(LIST_CHANGED, since);
      if (mode.revision === MODERN && message.params?._meta?.[SUBSCRIPTION_ID] === undefined) {
        throw new CheckFailed(`list_changed on a listen stream: expected a ${SUBSCRIPTION_ID} in _meta, got ${short(message)}`);
      }
      // A stream that is in use has to bring the next one as well.
      since = peer.inbox.items.length;
      await rival.call('test_trigger_tool_change');
      await peer.inbox.exactlyOnce(LIST_CHANGED, since);
      await stream.honoured?.(2);
    } finally {
      await rival.close();
      await stream.done?.();
    }
  },

  async broadcast(mode, peer) {
    const stream = await peer.listening();
    const rival = await mode.rival();
    const text = `free message ä "quoted"\n${process.hrtime.bigint()}`;
    try {
      const since = peer.inbox.items.length;
      await rival.call('broadcast', { text });
      if (mode.revision !== MODERN) {
        const message = await peer.inbox.exactlyOnce(MESSAGE, since, text);
        expect('level of the broadcast', 'info', message.params.level);
        return;
      }
      // A listener of the stateless revision gets only what it asked for: what comes after the broadcast proves it.
      await rival.call('notify');
      await peer.inbox.exactlyOnce(LIST_CHANGED, since);
      expect('notifications/message on a listen stream', [], peer.inbox.matching(MESSAGE, since));
    } finally {
      await rival.close();
      await stream.done?.();
    }
  },

  async cancel(mode, peer) {
    const count = async () => Number((await peer.call('cancelled_count'))[1]);
    const before = await count();
    await peer.callThenCancel('slow_compute', { seconds: 30 }, async () => {
      for (let i = 0; i < 2; i++) await peer.call('echo', { text: 'the call before this one has reached the server' });
    });
    const deadline = Date.now() + NOTICE_MS;
    let now = before;
    while (now === before && Date.now() < deadline) {
      await sleep(50);
      now = await count();
    }
    expect(`cancelled_count within ${NOTICE_MS / 1000} s of the cancellation`, before + 1, now);
    expect('echo after a cancellation', [false, 'still here'], await peer.call('echo', { text: 'still here' }));
  },

  async 'calls in parallel'(mode, peer) {
    const one = async (number) => {
      // Every other one is slow, so that answers have to overtake.
      if (number % 2) expect('isError of slow_compute', false, (await peer.call('slow_compute', { seconds: 1 }))[0]);
      return peer.call('echo', { text: `number ${number}` });
    };
    const numbers = [0, 1, 2, 3, 4, 5];
    expect('answers of six calls at once', numbers.map((n) => [false, `number ${n}`]), await Promise.all(numbers.map(one)));
  },

  async ping(mode, peer) {
    await peer.ping?.();
  },
};

/// What stands before every name, and the names of the checks to run (`|` between; all without).
const PREFIX = process.env.SMOL_MCP_PREFIX ?? '';
const CHOSEN = process.env.SMOL_MCP_CHECKS?.split('|');

const report = { passed: 0, failed: 0, started: Date.now() };

export async function check(name, body, ms = CHECK_MS) {
  try {
    const value = await within(ms, 'the check', Promise.resolve().then(body));
    report.passed++;
    console.log(`ok ${PREFIX}${name}`);
    return value;
  } catch (error) {
    report.failed++;
    console.log(`FAIL ${PREFIX}${name}: ${why(error)}`);
    return undefined;
  }
}

/// All checks of one mode {name, connect, revision, rival, more?}, and those of `features`: connect, use, close, connect again.
async function runMode(mode, features) {
  const peer = await check(`${mode.name}: connect`, mode.connect);
  for (const [name, body] of Object.entries({ ...CHECKS, ...features })) {
    if ((name === 'ping' && mode.revision === MODERN) || CHOSEN?.includes(name) === false) continue;
    await check(`${mode.name}: ${name}`, () => {
      if (!peer) throw new CheckFailed('no connection');
      return body(mode, peer);
    });
  }
  await check(`${mode.name}: close`, () => peer?.close(), NOTICE_MS);
  await check(`${mode.name}: a new client after the close`, async () => {
    const again = await mode.connect();
    expect('echo of a new client', [false, 'again'], await again.call('echo', { text: 'again' }));
    await again.close();
  });
  if (CHOSEN) return;
  for (const [name, body] of Object.entries(mode.more ?? {})) await check(`${mode.name}: ${name}`, body, MORE_MS);
}

export async function runModes(modes, features, only) {
  process.on('unhandledRejection', (error) => {
    report.failed++;
    console.log(`FAIL unhandled rejection: ${why(error)}`);
  });
  for (const mode of modes) if (!only || mode.name.includes(only)) await runMode(mode, features);
  console.log(`# ${report.passed} ok, ${report.failed} FAIL, ${((Date.now() - report.started) / 1000).toFixed(1)} s`);
  process.exit(report.failed || !report.passed ? 1 : 0);
}

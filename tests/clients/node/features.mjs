// More checks, of what a server may offer beyond tools, and of streams that break: the twin of ../python/{features,resume}.py.

import { CheckFailed, LIST_CHANGED, MESSAGE, MODERN, QUIET_MS, cuttableProxy, expect, sleep, why, within } from './common.mjs';

const UPDATED = 'notifications/resources/updated';
const PROMPTS_CHANGED = 'notifications/prompts/list_changed';
const WATCHED = 'test://watched-resource';
const PNG = 'iVBORw0KGgo';
const NAME = 'Zoë Äpfel';
const SAID = 'Paris, says the model of the test';
const ROOT = { uri: 'file:///home/drive/root', name: 'the root of the test' };
const SLOW_SECONDS = 5; // a stream of events from 2 s on, cut at 3 s, fetched after the `retry:` of 2 s
const CUT_MS = 3_000;

/// What the client declares that it can do.
export const CAPABILITIES = { elicitation: { form: {}, url: {} }, sampling: {}, roots: { listChanged: true } };

/// What the client says to the server's questions, and what it was asked.
export class Answers {
  action = 'accept'; // or decline, cancel; error for a JSON-RPC error in place of an answer
  ticked = false; // what becomes of the boxes of a form
  asked = [];

  elicited(params) {
    this.asked.push(params);
    if (this.action === 'error') throw Object.assign(new Error("the user's screen is broken"), { code: -1 });
    if (this.action !== 'accept' || params.mode === 'url') return { action: this.action };
    const fields = Object.entries(params.requestedSchema.properties);
    return { action: 'accept', content: Object.fromEntries(fields.map(([name, field]) => [name, field.type === 'boolean' ? this.ticked : filledIn(field)])) };
  }

  sampled(params) {
    this.asked.push(params);
    return { role: 'assistant', content: { type: 'text', text: SAID }, model: 'test', stopReason: 'endTurn' };
  }

  rooted() {
    this.asked.push({});
    return { roots: [ROOT] };
  }
}

/// A value that the field of a form allows.
function filledIn(field) {
  const choices = field.enum ?? (field.oneOf ?? field.anyOf)?.map((one) => one.const);
  if (choices) return choices.at(-1);
  switch (field.type) {
    case 'array': return [filledIn(field.items)];
    case 'boolean': return false;
    case 'integer': case 'number': return field.minimum ?? 41;
    default: return field.format === 'email' ? 'zoe@example.com' : NAME;
  }
}

async function refused(what, code, promise) {
  let came;
  try {
    came = await promise;
  } catch (error) {
    expect(`code of the error for ${what} (${why(error)})`, code, error.code);
    return error;
  }
  throw new CheckFailed(`${what}: expected JSON-RPC error ${code}, got ${JSON.stringify(came)}`);
}

function holds(what, condition) {
  if (!condition) throw new CheckFailed(what);
}

export const FEATURES = {
  async 'resources/list, templates'(mode, peer) {
    const { resources } = await peer.client.listResources();
    const text = resources.find((resource) => resource.uri === 'test://static-text');
    expect('mimeType, title', ['text/plain', 'Static text'], [text?.mimeType, text?.title]);
    expect('annotations', { audience: ['user', 'assistant'], priority: 0.5 }, text.annotations);
    holds('test://watched-resource is not listed', resources.some((resource) => resource.uri === WATCHED));
    const { resourceTemplates } = await peer.client.listResourceTemplates();
    expect('templates', ['test://template/{id}/data'], resourceTemplates.map((template) => template.uriTemplate));
  },

  async 'resources/read, text and blob'(mode, peer) {
    const read = async (uri) => (await peer.client.readResource({ uri })).contents;
    const [text] = await read('test://static-text');
    expect('text', 'This is the content of the static text resource.', text.text);
    const [blob] = await read('test://static-binary');
    expect('picture', ['image/png', 69, PNG], [blob.mimeType, Buffer.from(blob.blob, 'base64').length, blob.blob.slice(0, 11)]);
    const [made] = await read('test://template/a%20b%2Fc/data');
    expect('template', ['test://template/a%20b%2Fc/data', 'a b/c'], [made.uri, JSON.parse(made.text).id]);
  },

  async 'resource not found'(mode, peer) {
    for (const uri of ['test://nothing-here', 'test://template/1/other']) {
      await peer.client.readResource({ uri }).then((came) => { throw new CheckFailed(`${uri} was read: ${JSON.stringify(came)}`); }, () => {});
      // As it came: client 2.x makes the newer code of the older one.
      const { error } = peer.inbox.items.findLast((message) => message.error);
      expect('code', mode.revision === MODERN ? -32602 : -32002, error.code);
    }
  },

  async 'prompts/list, prompts/get'(mode, peer) {
    const { prompts } = await peer.client.listPrompts();
    const two = prompts.find((prompt) => prompt.name === 'test_prompt_with_arguments');
    expect('arguments', [['arg1', true], ['arg2', true]], two.arguments.map((argument) => [argument.name, argument.required]));
    const contents = async (name, args) => (await peer.client.getPrompt({ name, arguments: args })).messages.map((m) => m.content);
    expect('simple', [{ type: 'text', text: 'This is a simple prompt for testing.' }], await contents('test_simple_prompt'));
    const [filled] = await contents('test_prompt_with_arguments', { arg1: 'grün "x"', arg2: '' });
    expect('filled in', 'Prompt with arguments: arg1=\'grün "x"\', arg2=\'\'', filled.text);
    const [embedded] = await contents('test_prompt_with_embedded_resource', { resourceUri: 'test://some/where' });
    expect('embedded', ['resource', 'test://some/where'], [embedded.type, embedded.resource.uri]);
    const [image] = await contents('test_prompt_with_image');
    expect('image', ['image', 'image/png', PNG], [image.type, image.mimeType, image.data.slice(0, 11)]);
    await refused('an unknown prompt', -32602, peer.client.getPrompt({ name: 'no_such_prompt' }));
    await refused('a missing argument', -32602, peer.client.getPrompt({ name: 'test_prompt_with_arguments', arguments: { arg1: 'x' } }));
  },

  async completion(mode, peer) {
    const values = async (ref, name, value, context) => (await peer.client.complete({ ref, argument: { name, value }, context })).completion.values;
    const prompt = { type: 'ref/prompt', name: 'test_prompt_with_arguments' };
    expect('of a prompt', ['paris', 'park', 'party'], await values(prompt, 'arg1', 'par'));
    expect('with context', ['test'], await values(prompt, 'arg2', 'te', { arguments: { arg1: 'paris' } }));
    expect('of a template', ['12', '123'], await values({ type: 'ref/resource', uri: 'test://template/{id}/data' }, 'id', '12'));
    await refused('of an unknown prompt', -32602, values({ type: 'ref/prompt', name: 'no_such_prompt' }, 'a', ''));
  },

  async 'content of every kind'(mode, peer) {
    const whole = (name) => peer.whole({ name });
    const [image] = (await whole('test_image_content')).content;
    expect('image', ['image', 'image/png', PNG], [image.type, image.mimeType, image.data.slice(0, 11)]);
    const [audio] = (await whole('test_audio_content')).content;
    expect('audio', ['audio', 'audio/wav', 'RIFF'], [audio.type, audio.mimeType, Buffer.from(audio.data, 'base64').toString('latin1', 0, 4)]);
    const [embedded] = (await whole('test_embedded_resource')).content;
    expect('resource', 'This is an embedded resource content.', embedded.resource.text);
    expect('mixed', ['text', 'image', 'resource'], (await whole('test_multiple_content_types')).content.map((block) => block.type));
    const weather = { temperature: 22.5, conditions: 'partly_cloudy', humidity: 65 };
    expect('structured', weather, (await whole('test_structured_content')).structuredContent);
  },

  async 'subscription to a resource'(mode, peer) {
    const rival = await mode.rival();
    try {
      const done = await peer.watch(WATCHED);
      let since = peer.inbox.items.length;
      await rival.call('test_trigger_resource_update');
      expect('uri of the update', WATCHED, (await peer.inbox.exactlyOnce(UPDATED, since)).params.uri);
      await done();
      since = peer.inbox.items.length;
      await rival.call('test_trigger_resource_update');
      await sleep(QUIET_MS);
      expect('updates after the end of the subscription', [], peer.inbox.matching(UPDATED, since));
    } finally {
      await rival.close();
    }
  },

  async 'prompts/list_changed'(mode, peer) {
    if (mode.revision === MODERN) return; // a listener gets what it asked for: these ask for the tools
    const stream = await peer.listening();
    const rival = await mode.rival();
    try {
      const since = peer.inbox.items.length;
      await rival.call('test_trigger_prompt_change');
      await peer.inbox.exactlyOnce(PROMPTS_CHANGED, since);
    } finally {
      await rival.close();
      await stream.done?.();
    }
  },

  async logs(mode, peer) {
    const ofACall = async (params) => {
      const since = peer.inbox.items.length;
      expect(`isError of ${params.name}`, false, (await peer.whole(params)).isError ?? false);
      await sleep(100);
      return peer.inbox.matching(MESSAGE, since).map((message) => message.params.level);
    };
    if (mode.revision === MODERN) {
      const name = 'test_logging_tool';
      expect('logs that nobody asked for', [], await ofACall({ name }));
      const at = (level) => ofACall({ name, _meta: { 'io.modelcontextprotocol/logLevel': level } });
      holds('a call that asked for logs at level debug got none', (await at('debug')).length > 0);
      expect('logs of too low a level', [], await at('emergency'));
      return;
    }
    await peer.client.setLoggingLevel('error');
    expect('info logs at level error', [], await ofACall({ name: 'test_tool_with_logging' }));
    await peer.client.setLoggingLevel('debug');
    expect('logs at level debug', ['info', 'info', 'info'], await ofACall({ name: 'test_tool_with_logging' }));
  },

  async 'elicitation: accept, decline, cancel'(mode, peer) {
    for (const action of ['accept', 'decline', 'cancel']) {
      peer.answers.action = action;
      peer.answers.asked = [];
      const [, text] = await peer.call('test_elicitation', { message: `Will you ${action}?` });
      expect('messages of the questions', [`Will you ${action}?`], peer.answers.asked.map((asked) => asked.message));
      expect(`${action} and the answer in ${text}`, [true, action === 'accept'], [text.includes(action), text.includes(NAME)]);
      const [, greeting] = await peer.call('test_input_required_result_elicitation');
      expect(`greeted after ${action} (${greeting})`, action === 'accept', greeting.includes(`Hello, ${NAME}!`));
    }
    peer.answers.action = 'accept';
  },

  async 'elicitation: forms'(mode, peer) {
    peer.answers.asked = [];
    const [isError, text] = await peer.call('test_elicitation_sep1034_defaults');
    const defaults = Object.fromEntries(Object.entries(peer.answers.asked[0].requestedSchema.properties).map(([name, field]) => [name, field.default]));
    expect('defaults', { name: 'John Doe', age: 30, score: 95.5, status: 'active', verified: true }, { ...defaults });
    expect(`isError and action (${text})`, [false, true], [isError, text.includes('accept')]);
    const [failed, enums] = await peer.call('test_elicitation_sep1330_enums');
    expect(`isError and action of the enums (${enums})`, [false, true], [failed, enums.includes('accept')]);
  },

  async 'a call that the user must confirm'(mode, peer) {
    for (const [action, ticked] of [['decline', false], ['cancel', false], ['accept', false], ['accept', true]]) {
      Object.assign(peer.answers, { action, ticked, asked: [] });
      const [isError, text] = await peer.call('test_confirm', { text: 'the disk' });
      expect('the questions', ['Erase this?\n{"text":"the disk"}'], peer.answers.asked.map((asked) => asked.message));
      expect(`isError, and what was done, after ${action}, ${ticked} (${text})`, [!ticked, ticked], [isError, text.includes('erased the disk')]);
    }
    Object.assign(peer.answers, { action: 'accept', ticked: false });
  },

  async 'elicitation: URL'(mode, peer) {
    for (const action of ['accept', 'decline']) {
      peer.answers.action = action;
      peer.answers.asked = [];
      const [, text] = await peer.call('test_elicitation_url');
      peer.answers.action = 'accept';
      expect('mode of the question', ['url'], peer.answers.asked.map((asked) => asked.mode));
      holds(`${action}: expected it in ${text}`, text.includes(action));
    }
  },

  async 'a question refused'(mode, peer) {
    peer.answers.action = 'error';
    const came = await within(5_000, 'the call', peer.call('test_elicitation', { message: 'Will you fail?' }).catch(why));
    peer.answers.action = 'accept';
    // In the newest revision the client itself drives the rounds, and gives up.
    holds(`expected that the call fails, got ${came}`, typeof came === 'string' ? mode.revision === MODERN : came[0]);
    expect('echo after that', [false, 'on we go'], await peer.call('echo', { text: 'on we go' }));
  },

  async sampling(mode, peer) {
    peer.answers.asked = [];
    expect('answer', [false, `LLM response: ${SAID}`], await peer.call('test_sampling', { prompt: 'What is the "capital" of Fränce?' }));
    expect('maxTokens', [100], peer.answers.asked.map((asked) => asked.maxTokens));
  },

  async roots(mode, peer) {
    const [isError, text] = await peer.call('test_input_required_result_list_roots');
    holds(`expected the client's roots, got ${text}`, !isError && (text.includes(ROOT.uri) || text.includes(ROOT.name)));
  },

  async 'several questions, several rounds'(mode, peer) {
    for (const [tool, questions] of [['test_input_required_result_multiple_inputs', 3], ['test_input_required_result_multi_round', 2]]) {
      peer.answers.asked = [];
      const [isError, text] = await peer.call(tool);
      expect(`isError, questions of ${tool} (${text})`, [false, questions], [isError, peer.answers.asked.length]);
    }
    const { messages } = await peer.client.getPrompt({ name: 'test_input_required_result_prompt' });
    holds(`expected the answer in the prompt, got ${JSON.stringify(messages)}`, JSON.stringify(messages).includes(NAME));
  },
};

/// The server closes the call's stream on purpose; the client comes back for the answer.
export async function serverEndsTheStream(connect) {
  const peer = await connect();
  const [isError, text] = await peer.call('test_reconnection');
  await peer.close();
  expect(`isError of test_reconnection (${text})`, false, isError);
}

/// A call whose stream is cut brings its answer all the same, once.
export async function cutCall(base, connectAt) {
  const proxy = await cuttableProxy(base);
  const peer = await connectAt(proxy.base);
  try {
    const call = peer.call('slow_compute', { seconds: SLOW_SECONDS });
    setTimeout(() => proxy.cut(), CUT_MS);
    const [isError, text] = await call;
    expect(`isError and text of the answer (${text})`, [false, true], [isError, text.endsWith(` for ${SLOW_SECONDS} s`)]);
    expect('echo on the same session', [false, 'same'], await peer.call('echo', { text: 'same' }));
  } finally {
    await peer.close();
    proxy.close();
  }
}

/// What happened while the stream of the session was broken is brought once it is back.
export async function missedEvent(base, connectAt, rivalOf) {
  const proxy = await cuttableProxy(base);
  const peer = await connectAt(proxy.base);
  const rival = await rivalOf();
  try {
    await peer.watch(WATCHED);
    // An event first: its id is what the client resumes from.
    let since = peer.inbox.items.length;
    await rival.call('notify');
    await peer.inbox.exactlyOnce(LIST_CHANGED, since);
    since = peer.inbox.items.length;
    proxy.cut();
    await rival.call('test_trigger_resource_update');
    await peer.inbox.exactlyOnce(UPDATED, since);
  } finally {
    await rival.close();
    await peer.close();
    proxy.close();
  }
}

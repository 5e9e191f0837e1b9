// The desk: what is open, what is shown, what is fetched when the desk tells of something new.

import { $, ask, dress, toast } from './dom.js';
import { calmly, live } from './live.js';
import { renderChannels, renderCard } from './card.js';
import { renderList } from './list.js';
import { Composer } from './composer.js';
import { renderHead, renderThread } from './thread.js';

const PAGE = 60;

const state = {
  about: { agents: [], channels: [], simulated: false },
  me: localStorage.getItem('inbox-agent'),
  filter: { state: 'open', channel: '' },
  conversations: [],
  open: null,
  talk: null,
  older: [],
  hasOlder: false,
  typingUntil: 0,
};

const composer = new Composer({ send: (form) => post('reply', { form }), typing: () => post('typing', { body: {} }) });

/** Does something to the open conversation, in the name of the chosen agent. */
async function post(what, options) {
  return ask(`/api/conversations/${state.open}/${what}`, { agent: state.me, ...options });
}

async function act(verb) {
  await post('act', { body: verb }).catch(toast);
}

/** Does something to a message. */
async function onMessage(id, what, body) {
  await ask(`/api/messages/${id}/${what}`, { agent: state.me, body }).catch(toast);
}

const channelOf = ({ tenant, channel }) =>
  state.about.channels.find((c) => c.tenant === tenant && c.channel === channel) ?? { title: channel, provider: '' };

const agentName = (id) => state.about.agents.find((agent) => agent.id === id)?.name ?? id;

const loadAbout = calmly(async () => {
  state.about = await ask('/api/desk');
  const { agents, channels, simulated } = state.about;
  if (!agents.some((agent) => agent.id === state.me)) state.me = agents[0]?.id;
  options($('me'), agents.map((agent) => [agent.id, agent.name]), state.me);
  options($('channel-filter'), [['', 'All channels'], ...channels.map((c) => [`${c.tenant}/${c.channel}`, c.title])], state.filter.channel);
  dress($('me-avatar'), agentName(state.me));
  $('demo-links').hidden = !simulated || window.top !== window;
  renderChannels($('channels'), channels);
});

function options(select, list, chosen) {
  const print = JSON.stringify(list);
  if (select.print === print) return;
  select.print = print;
  select.replaceChildren(...list.map(([value, text]) => new Option(text, value, false, value === chosen)));
}

const loadList = calmly(async () => {
  const [tenant, channel] = state.filter.channel.split('/');
  const query = new URLSearchParams({ state: state.filter.state, visible_to: state.me });
  if (channel) {
    query.set('tenant', tenant);
    query.set('channel', channel);
  }
  state.conversations = await ask(`/api/conversations?${query}`);
  renderList($('conversations'), state.conversations, { open: state.open, channelOf, agentName, choose });
  const unread = state.conversations.reduce((sum, c) => sum + c.unread, 0);
  document.title = unread ? `(${unread}) Inbox` : 'Inbox';
});

const loadTalk = calmly(async () => {
  const id = state.open;
  if (!id) return;
  const talk = await ask(`/api/conversations/${id}`);
  if (id !== state.open) return;
  const first = state.talk?.conversation.id !== id;
  if (first) {
    state.older = [];
    state.hasOlder = talk.messages.length >= PAGE;
  } else {
    // What the new page no longer holds has become older.
    const held = new Set(talk.messages.map((m) => m.id));
    const known = new Map([...state.older, ...state.talk.messages].map((m) => [m.id, m]));
    state.older = [...known.values()].filter((m) => !held.has(m.id) && m.id < (talk.messages[0]?.id ?? '~'));
  }
  state.talk = talk;
  renderTalk(first);
  composer.open(talk.conversation);
  if (talk.conversation.unread > 0 && document.visibilityState === 'visible') await post('seen', { body: {} });
});

function renderTalk(first) {
  const { conversation, contact, messages, whys } = state.talk;
  const channel = channelOf(conversation);
  $('nothing').hidden = true;
  $('talk').hidden = false;
  renderHead($('talk-head'), conversation, {
    channel, agents: state.about.agents, me: state.me, agentName, act,
    back: () => choose(null), card: () => document.body.classList.toggle('with-card'),
  });
  renderThread($('thread'), [...state.older, ...messages], {
    first, conversation, channel, agentName, me: state.me,
    typing: Date.now() < state.typingUntil,
    answer: (message) => composer.answer(message),
    edit: (message) => composer.edit(message, (text) => ask(`/api/messages/${message.id}/edit`, { agent: state.me, body: { text } })),
    remove: (message) => onMessage(message.id, 'delete', {}),
    react: (message, signs) => onMessage(message.id, 'react', { signs }),
    settle: (message, outcome) => onMessage(message.id, 'settle', { outcome }),
  });
  renderCard($('card'), { conversation, contact, channel, whys, agentName, tag: (tag) => act({ verb: 'tag', tag }) });
}

async function loadOlder() {
  if (!state.hasOlder || !state.talk) return;
  state.hasOlder = false;
  const oldest = state.older[0] ?? state.talk.messages[0];
  const more = await ask(`/api/conversations/${state.open}/messages?before=${oldest.id}`);
  const thread = $('thread');
  const below = thread.scrollHeight - thread.scrollTop;
  state.older = [...more, ...state.older];
  state.hasOlder = more.length >= PAGE;
  renderTalk(false);
  thread.scrollTop = thread.scrollHeight - below;
}

/** Opens a conversation, or none. */
function choose(id) {
  if (state.open === id) return;
  state.open = id;
  state.typingUntil = 0;
  history.replaceState(null, '', id ? `#${id}` : location.pathname);
  document.body.classList.toggle('talking', Boolean(id));
  if (id) loadTalk().catch(toast);
  else {
    state.talk = null;
    $('talk').hidden = true;
    $('nothing').hidden = false;
    $('card').replaceChildren();
  }
  renderList($('conversations'), state.conversations, { open: id, channelOf, agentName, choose });
}

function showTyping() {
  state.typingUntil = Date.now() + 5000;
  if (state.talk) renderTalk(false);
  setTimeout(() => state.talk && renderTalk(false), 5100);
}

function hear(news) {
  const reload = (...loads) => Promise.all(loads.map((load) => load())).catch(toast);
  switch (news.news) {
    case 'conversation':
      return reload(loadList, ...(news.id === state.open ? [loadTalk] : []));
    case 'typing':
      return news.id === state.open && showTyping();
    case 'channels':
      return reload(loadAbout);
    case 'everything':
      return reload(loadAbout, loadList, loadTalk);
    default:
      return undefined;
  }
}

function listen() {
  $('me').addEventListener('change', (event) => {
    state.me = event.target.value;
    localStorage.setItem('inbox-agent', state.me);
    dress($('me-avatar'), agentName(state.me));
    hear({ news: 'everything' });
  });
  $('channel-filter').addEventListener('change', (event) => {
    state.filter.channel = event.target.value;
    loadList().catch(toast);
  });
  for (const button of document.querySelectorAll('[data-state]')) {
    button.addEventListener('click', () => {
      state.filter.state = button.dataset.state;
      document.querySelectorAll('[data-state]').forEach((b) => b.setAttribute('aria-pressed', String(b === button)));
      loadList().catch(toast);
    });
  }
  $('thread').addEventListener('scroll', () => $('thread').scrollTop < 60 && loadOlder().catch(toast));
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && loadTalk().catch(toast));
  addEventListener('hashchange', () => choose(location.hash.slice(1) || null));
}

async function start() {
  listen();
  await loadAbout();
  live(hear);
  await loadList();
  const wide = matchMedia('(width >= 760px)').matches;
  choose(location.hash.slice(1) || (wide ? state.conversations[0]?.id : null) || null);
}

start().catch(toast);

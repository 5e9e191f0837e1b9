// The open conversation: its head and its messages.

import { avatar, clock, day, h, icon, reconcile, stickToEnd } from './dom.js';
import { bubble, file, link, quoted, signs, when, words } from './bubbles.js';
import { mail } from './mail.js';

const QUICK_SIGN = '👍';

const STATUS = {
  queued: ['clock', 'Waits to be sent'],
  sending: ['clock', 'Is being sent'],
  unknown: ['unknown', 'Perhaps sent: the answer of the provider was lost'],
  accepted: ['tick', 'The provider took it', 'tick-sent'],
  sent: ['tick', 'Sent', 'tick-sent'],
  delivered: ['ticks', 'Delivered', 'tick-delivered'],
  read: ['ticks', 'Read', 'tick-read'],
  failed: ['cross', 'Not sent', 'tick-failed'],
  expired: ['cross', 'Not delivered in time', 'tick-failed'],
  dropped: ['cross', 'Not sent: it was no longer needed'],
};

export function renderHead(node, conversation, { channel, agents, me, agentName, act, back, card }) {
  const { id, title, owner, closed } = conversation;
  const item = { id, title, owner, closed: Boolean(closed), snoozed: conversation.flow?.snoozed, channel: channel.title, teams: channel.teams, me, agents };
  reconcile(node, [item], () => 'head', () => h('div', { class: 'head-row' },
    h('button', { type: 'button', class: 'icon-button back', onclick: back, title: 'Back to the list' }, icon('back')),
    avatar(title),
    h('div', { class: 'head-names' },
      h('h1', { dir: 'auto' }, title || 'Nameless'),
      h('small', { 'data-testid': 'talk-state' }, [channel.title, closed ? 'closed' : owned(owner, agentName, channel), !closed && aside(conversation)].filter(Boolean).join(' · '))),
    h('div', { class: 'head-actions' }, actions(conversation, { agents, teams: channel.teams ?? [], me, act })),
    h('button', { type: 'button', class: 'icon-button info', onclick: card, title: 'Contact' }, icon('info'))));
}

function aside({ flow }) {
  return flow?.snoozed && `put aside until ${clock(flow.snoozed)}`;
}

function owned(owner, agentName, channel) {
  switch (owner.who) {
    case 'agent': return `${agentName(owner.agent)} answers`;
    case 'team': return `waits for the team ${channel.teams?.find((team) => team.id === owner.team)?.name ?? owner.team}`;
    case 'bot': return `bot ${owner.bot}`;
    default: return 'nobody answers yet';
  }
}

function actions({ owner, closed, flow }, { agents, teams, me, act }) {
  if (closed) {
    return h('button', { type: 'button', 'data-testid': 'reopen', onclick: () => act({ verb: 'reopen' }) }, 'Reopen');
  }
  const mine = owner.who === 'agent' && owner.agent === me;
  const give = (event) => {
    const [who, id] = event.target.value.split(':');
    act({ verb: 'assign', to: who === 'nobody' ? { who } : { who, [who]: id } });
    event.target.value = '';
  };
  return [
    !mine && h('button', {
      type: 'button', class: 'primary', 'data-testid': 'take',
      onclick: () => act({ verb: 'assign', to: { who: 'agent', agent: me } }),
    }, 'Take'),
    h('select', { 'aria-label': 'Transfer to', 'data-testid': 'transfer', onchange: give },
      h('option', { value: '' }, 'Transfer…'),
      agents.filter((a) => a.id !== owner.agent).map((a) => h('option', { value: `agent:${a.id}` }, a.name)),
      teams.filter((t) => t.id !== owner.team).map((t) => h('option', { value: `team:${t.id}` }, `Team ${t.name}`)),
      owner.who !== 'nobody' && h('option', { value: 'nobody' }, 'Nobody')),
    flow?.snoozed
      ? h('button', { type: 'button', 'data-testid': 'resume', onclick: () => act({ verb: 'resume' }) }, 'Resume')
      : h('button', {
        type: 'button', 'data-testid': 'snooze', title: 'Put aside for an hour, or until the customer writes',
        onclick: () => act({ verb: 'snooze', until: Date.now() + 3600000 }),
      }, 'Later'),
    h('button', { type: 'button', 'data-testid': 'close', onclick: () => act({ verb: 'close', reason: 'done' }) }, 'Close'),
  ];
}

export function renderThread(node, messages, context) {
  const items = [];
  let last = '';
  for (const message of messages) {
    const today = day(message.at);
    if (today !== last) items.push({ key: `day ${today}`, day: today });
    last = today;
    const answered = message.reply_to && messages.find((m) => m.provider_ids?.includes(message.reply_to.message));
    items.push({ key: message.id, message, quote: answered && preview(answered.content), quoteKey: answered?.id, closed: Boolean(context.conversation.closed) });
  }
  if (context.conversation.closed) items.push({ key: 'closed', closed: context.conversation.closed });
  if (context.typing) items.push({ key: 'typing', typing: context.conversation.title });
  stickToEnd(node, () => reconcile(node, items, (item) => item.key, (item) => draw(item, context)), context.first);
}

function draw(item, context) {
  if (item.day) return h('div', { class: 'day' }, item.day);
  if (item.typing) return h('div', { class: 'typing' }, `${item.typing} is writing…`);
  if (item.message) return drawMessage(item, context);
  return h('div', { class: 'day', 'data-testid': 'closed' }, `Closed: ${reason(item.closed, context.agentName)}`);
}

function reason({ by, reason: why }, agentName) {
  if (why === 'inactive') return 'nothing was said for a while';
  return why === 'done' ? `by ${by.actor === 'agent' ? agentName(by.agent) : by.actor}` : why.other;
}

function drawMessage({ message, quote, quoteKey }, context) {
  const own = message.direction === 'out';
  const { content } = message;
  const pressed = message.provider_ids?.[0]?.startsWith('button:');
  const classes = [
    message.origin === 'automatic' && 'automatic', message.deleted_at && 'deleted',
    pressed && 'press', ['failed', 'expired'].includes(message.status) && 'failed',
  ].filter(Boolean).join(' ');
  const node = bubble({
    own, classes, testid: own ? 'message-out' : 'message-in',
    head: [author(message, own, context), message.reply_to && !pressed && quoted(message.reply_to.quote || quote || 'A message', quoteKey)],
    body: [
      bodyOf(message),
      pressed && h('span', { class: 'visually-hidden' }, ' (pressed a button)'),
    ],
    foot: [
      pressed && 'pressed a button ·', message.deleted_at && 'deleted ·', message.edited_at && !message.deleted_at && 'edited ·',
      when(message.at), tick(message), trouble(message, context),
    ].filter((mark) => mark !== undefined),
    keys: keyboard(content.keyboard),
    marks: signs((message.reactions ?? []).map(([, sign]) => sign)),
    tools: tools(message, own, pressed, context),
  });
  if (message.status) node.dataset.status = message.status;
  const bad = node.querySelector('.trouble');
  if (bad) node.querySelector('.bubble-body').append(bad);
  return node;
}

function author(message, own, { agentName, conversation }) {
  const tag = message.origin === 'automatic' && h('span', { class: 'tag' }, 'automatic');
  const { author: by, name } = message;
  if (!own) return conversation.chat?.kind && conversation.chat.kind !== 'private' && name ? h('div', { class: 'author' }, name, tag) : tag;
  const shown = {
    agent: () => name || agentName(by.agent), elsewhere: () => `${name ?? 'A colleague'}, elsewhere`,
    bot: () => `Bot ${by.bot}`, rule: () => `Rule ${by.rule}`, host: () => 'Program', provider: () => 'Provider',
  }[by.actor]?.();
  return h('div', { class: 'author' }, shown, tag);
}

/** Files, other parts, words. Mails have an order of their own. */
function bodyOf(message) {
  const { parts = [], text } = message.content;
  const files = mediaOf(message);
  const said = text?.plain && words(text);
  const email = parts.find((p) => p.part === 'email');
  return email
    ? [mail(email, said, files), parts.map(part)]
    : [files.map(({ node }) => node()), parts.map(part), said];
}

function mediaOf({ id, content, edited_at: edited }) {
  const files = (content.parts ?? []).filter((p) => p.part === 'media');
  return files.map((media, index) => {
    const source = `/api/media/${id}/${index}${edited ? `?v=${edited}` : ''}`;
    return { media, source, node: () => file(media, source) };
  });
}

/** Everything in a message that is neither words, nor a file, nor of mails alone. */
function part(p) {
  switch (p.part) {
    case 'location': {
      const at = `https://www.openstreetmap.org/?mlat=${Number(p.latitude)}&mlon=${Number(p.longitude)}`;
      return h('p', {}, '📍 ', link(at, document.createTextNode(p.title || p.address || `${p.latitude}, ${p.longitude}`)));
    }
    case 'contact':
      return h('p', {}, `📇 ${p.name} `, (p.phones ?? []).join(', '), p.belongs_to === 'sender' && h('small', {}, ' · their own number'));
    case 'item':
      return h('p', {}, '🏷 ', p.url ? link(p.url, document.createTextNode(p.title ?? p.url)) : p.title, p.price && ` · ${p.price}`);
    case 'template':
      return h('p', {}, `Template ${p.name}`);
    case 'forwarded':
      return h('blockquote', {}, h('small', {}, `Forwarded${p.from ? ` from ${p.from}` : ''}`), p.contents.map((c) => c.text && words(c.text)));
    case 'unsupported':
      return h('p', {}, h('small', {}, `This kind of message is not shown here: ${p.what}`));
    default:
      return null;
  }
}

export function preview(content) {
  if (content.text?.plain) return content.text.plain;
  const [first] = content.parts ?? [];
  if (first?.part === 'email' && first.subject) return first.subject;
  return first?.name || (first ? `[${first.kind ?? first.part}]` : '');
}

function keyboard(board) {
  if (!board?.rows?.length) return null;
  return h('div', { class: 'keyboard', 'aria-label': 'Buttons of the message' }, board.rows.map((row) =>
    h('div', { class: 'key-row' }, row.map((key) => h('span', { class: 'key', title: key.data ?? key.url }, key.label)))));
}

function tick({ status }) {
  if (!status) return undefined;
  const [name, title, kind] = STATUS[status] ?? ['unknown', status];
  return h('span', { class: `tick ${kind ?? ''} ${status === 'unknown' ? 'tick-unknown' : ''}`, title, role: 'img', 'aria-label': title }, icon(name));
}

/** What went wrong, and what a person can do about it. */
function trouble(message, { settle }) {
  if (message.status === 'unknown') {
    const choice = (text, outcome) => h('button', { type: 'button', 'data-testid': `settle-${outcome}`, onclick: () => settle(message, outcome) }, text);
    return h('div', { class: 'trouble unknown' }, 'The answer of the provider was lost. Did the customer get it?',
      h('div', { class: 'row' }, choice('Sent', 'sent'), choice('Not sent', 'not_sent'), choice('Send again', 'resend')));
  }
  if (!['failed', 'expired'].includes(message.status)) return undefined;
  const { text, advice, kind } = message.error ?? {};
  const explained = [text || kind?.replaceAll('_', ' ') || 'Not sent', advice].filter(Boolean).join('. ');
  return h('div', { class: 'trouble', 'data-testid': 'trouble' }, explained);
}

function tools(message, own, pressed, { channel, conversation, answer, edit, remove, react }) {
  if (message.deleted_at || pressed || !message.provider_ids?.length || conversation.closed) return null;
  const can = (what) => channel.capabilities?.[what]?.can && channel.capabilities[what].can !== 'no';
  const tool = (name, title, onclick) => h('button', { type: 'button', title, 'aria-label': title, onclick }, icon(name));
  const signed = (message.reactions ?? []).some(([by]) => by === 'us');
  return [
    tool('reply', 'Answer this message', () => answer(message)),
    can('react') && tool('smile', signed ? 'Take the sign off' : `Put ${QUICK_SIGN}`, () => react(message, signed ? [] : [QUICK_SIGN])),
    own && can('edit') && message.content.text && !message.content.parts?.length && tool('pencil', 'Change the words', () => edit(message)),
    own && can('delete') && tool('bin', 'Take it back', () => remove(message)),
  ];
}

// The list of conversations, grouped by channel.

import { avatar, h, reconcile, shortTime } from './dom.js';

export function renderList(node, conversations, { open, channelOf, agentName, choose }) {
  const groups = new Map();
  for (const conversation of conversations) {
    const name = `${conversation.tenant}/${conversation.channel}`;
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(conversation);
  }
  const rows = [];
  for (const [name, members] of groups) {
    const unread = members.reduce((sum, c) => sum + c.unread, 0);
    const channel = channelOf(members[0]);
    rows.push({ group: name, title: channel.title, provider: channel.provider, unread });
    for (const c of members) rows.push(row(c, open, agentName));
  }
  if (!rows.length) rows.push({ group: 'none', empty: true });
  reconcile(node, rows, (item) => item.group ?? item.id, (item) => {
    if (item.empty) return h('p', { class: 'empty' }, 'No conversations here.');
    return item.group ? groupHead(item) : entry(item, choose);
  });
}

/** What a row shows, and nothing else: so it is drawn anew only when that changes. */
function row(c, open, agentName) {
  return {
    id: c.id, title: c.title || 'Nameless', preview: c.preview, at: c.last_message_at, unread: c.unread,
    closed: Boolean(c.closed), owner: c.owner.who === 'agent' ? agentName(c.owner.agent) : '', open: c.id === open,
    day: new Date().toDateString(),
  };
}

function groupHead({ title, provider, unread }) {
  return h('h2', { class: 'group' }, h('span', {}, title), h('small', {}, provider),
    unread > 0 && h('span', { class: 'badge', title: 'Unread in this channel' }, String(unread)));
}

function entry(c, choose) {
  const label = `${c.title}${c.unread ? `, ${c.unread} unread` : ''}${c.closed ? ', closed' : ''}`;
  return h('button', {
    type: 'button', class: `conversation ${c.unread ? 'unread' : ''} ${c.closed ? 'closed' : ''}`,
    'aria-current': c.open ? 'true' : undefined, 'aria-label': label, 'data-testid': 'conversation',
    data: { title: c.title }, onclick: () => choose(c.id),
  },
  avatar(c.title),
  h('span', { class: 'conversation-title', dir: 'auto' }, c.title),
  h('time', { datetime: new Date(c.at).toISOString() }, shortTime(c.at)),
  h('span', { class: 'conversation-preview', dir: 'auto' }, c.preview || '…'),
  h('span', { class: 'conversation-marks' },
    c.owner && h('span', { title: `${c.owner} answers` }, avatar(c.owner, 'tiny')),
    c.unread > 0 && h('span', { class: 'badge', 'data-testid': 'unread' }, String(c.unread))));
}

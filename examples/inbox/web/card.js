// Who writes, why, and how the channels are.

import { avatar, clock, h, reconcile, shortDay, wholeTime } from './dom.js';
import { link } from './bubbles.js';
import { why } from './why.js';

const HEALTH = {
  starting: 'Nothing was heard yet',
  working: 'Works',
  degraded: 'Fails, and is tried again by itself',
  needs_person: 'Stands still until a person helps',
  standby: 'Another node listens for this account',
};

/** One chip a channel; open it to read what to do. */
export function renderChannels(node, channels) {
  const items = channels.map(({ tenant, channel, title, provider, handle, health, remarks }) => ({ tenant, channel, title, provider, handle, health, remarks }));
  reconcile(node, items, (c) => `${c.tenant}/${c.channel}`, (c) => {
    const state = c.health?.state ?? 'starting';
    const { text, advice, kind } = c.health?.error ?? {};
    const trouble = ['degraded', 'needs_person'].includes(state) || c.remarks.length > 0;
    return h('details', { class: `channel ${state} ${trouble ? 'trouble-inside' : ''}`, 'data-testid': 'channel', data: { state } },
      h('summary', { title: HEALTH[state] }, h('span', { class: 'dot' }), c.title, trouble && h('span', { class: 'visually-hidden' }, ' needs attention')),
      h('div', { class: 'channel-more' },
        h('strong', {}, `${c.provider}${c.handle ? ` · ${c.handle}` : ''}`),
        h('p', {}, HEALTH[state]),
        c.health?.since && h('p', {}, h('small', {}, `Since ${wholeTime(c.health.since)}`)),
        (text || kind) && h('p', { class: 'bad' }, text || kind.replaceAll('_', ' ')),
        advice && h('p', {}, h('strong', {}, 'What to do: '), advice),
        c.remarks.map((remark) => h('p', {}, remark))));
  });
}

export function renderCard(node, { conversation, contact, channel, whys, agentName, tag }) {
  const item = { conversation: { ...conversation, timers: undefined, unread: 0 }, contact, channel: channel.title, whys };
  reconcile(node, [item], () => 'card', () => draw(conversation, contact, channel, whys, agentName, tag));
}

function draw(c, contact, channel, whys, agentName, tag) {
  const profile = contact?.profile ?? {};
  const name = profile.name || c.title || 'Nameless';
  return h('div', { class: 'card-inner' },
    h('div', { class: 'card-head' }, avatar(name, 'large'), h('h2', { dir: 'auto', 'data-testid': 'contact-name' }, name),
      profile.username && h('small', {}, `@${profile.username}`)),
    section('Contact', [
      profile.phone && ['Phone', link(`tel:${profile.phone}`, document.createTextNode(profile.phone))],
      profile.email && ['E-mail', link(`mailto:${profile.email}`, document.createTextNode(profile.email))],
      profile.language && ['Language', profile.language],
      ...(contact?.identities ?? []).map((i) => [i.provider, [i.id, ...(i.aliases ?? []).filter((alias) => alias.replace('@', '') !== profile.username)].join(', ')]),
    ]),
    c.referral && section('Came by', [
      c.referral.token && ['Campaign', c.referral.token],
      c.referral.source && ['Source', c.referral.source],
      c.referral.ad && ['Advert', c.referral.ad],
    ]),
    c.item && section('About', [
      c.item.title && ['Item', c.item.url ? link(c.item.url, document.createTextNode(c.item.title)) : c.item.title],
      c.item.price && ['Price', c.item.price],
      c.item.id && ['Number', c.item.id],
    ]),
    section('Conversation', [
      ['Channel', channel.title],
      ['Began', `${shortDay(c.opened_at)}, ${clock(c.opened_at)}`],
      c.first_response_at && ['First answer', after(c.first_response_at - c.opened_at)],
      ['Messages', `${c.counts.inbound} in, ${c.counts.by_people + c.counts.automatic} out`],
      c.owner.who === 'agent' && ['Answers', agentName(c.owner.agent)],
      c.visible?.to === 'agent' && ['Seen by', agentName(c.visible.agent)],
    ]),
    tags(c, tag),
    why(whys));
}

function section(title, rows) {
  const shown = rows.filter(Boolean);
  if (!shown.length) return null;
  return h('section', {}, h('h3', {}, title), h('dl', {}, shown.map(([term, value]) => [h('dt', {}, term), h('dd', { dir: 'auto' }, value)])));
}

function after(millis) {
  const seconds = Math.max(0, Math.round(millis / 1000));
  if (seconds < 90) return `after ${seconds} s`;
  return seconds < 5400 ? `after ${Math.round(seconds / 60)} min` : `after ${(seconds / 3600).toFixed(1)} h`;
}

function tags({ tags: known = [], closed }, tag) {
  const add = (event) => {
    event.preventDefault();
    const text = event.target.elements.tag.value.trim();
    if (text) tag(text);
  };
  return h('section', {}, h('h3', {}, 'Labels'),
    h('div', { class: 'chips' }, known.map((t) => h('span', { class: 'chip' }, t))),
    !closed && h('form', { onsubmit: add }, h('input', { name: 'tag', placeholder: 'Add a label', 'aria-label': 'Add a label', maxlength: 40 })));
}

// Messages as both sides show them: words, files, keys, signs.

import { bytes, clock, h, icon, wholeTime } from './dom.js';

const SAFE_LINK = /^(https?:|mailto:|tel:)/i;
const TAGS = { bold: 'strong', italic: 'em', underline: 'u', strike: 's', code: 'code', pre: 'pre', quote: 'q', spoiler: 'mark' };

/** Words with their entities; offsets are UTF-16, as in JavaScript. */
export function words({ plain, entities = [] }) {
  const borders = new Set([0, plain.length]);
  for (const { offset, length } of entities) {
    borders.add(Math.min(offset, plain.length)).add(Math.min(offset + length, plain.length));
  }
  const points = [...borders].sort((a, b) => a - b);
  const nodes = points.slice(1).map((end, at) => {
    const start = points[at];
    const over = entities.filter((e) => e.offset <= start && e.offset + e.length >= end);
    const piece = plain.slice(start, end);
    return over.reduceRight((inner, entity) => wrap(entity, inner, piece), document.createTextNode(piece));
  });
  return h('span', { class: 'words', dir: 'auto' }, nodes);
}

function wrap(entity, inner, piece) {
  if (entity.kind === 'link' || entity.kind === 'detected') return link(entity.url ?? piece, inner);
  if (entity.kind === 'mention' || entity.kind === 'command') return h('span', { class: 'mention' }, inner);
  return TAGS[entity.kind] ? h(TAGS[entity.kind], {}, inner) : inner;
}

/** A link that leads only where a link should. */
export function link(url, inner) {
  if (!SAFE_LINK.test(url)) return inner;
  return h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, inner);
}

/** A file: shown, played, or to save. */
export function file({ kind, name, mime, size, seconds, emoji, title }, source) {
  switch (kind) {
    case 'image':
    case 'sticker':
      return h('a', { href: source, target: '_blank', class: 'picture' },
        h('img', { src: source, alt: emoji || name || 'Picture', loading: 'lazy', class: kind, onerror: broken }));
    case 'animation':
    case 'video':
    case 'video_note':
      return h('video', { src: source, controls: true, preload: 'metadata', class: kind, 'aria-label': name || 'Video' });
    case 'audio':
    case 'voice':
      return h('figure', { class: 'sound' },
        h('audio', { src: source, controls: true, preload: 'metadata', 'aria-label': title || name || 'Sound' }),
        h('figcaption', {}, title || name || (kind === 'voice' ? 'Voice message' : 'Sound'), seconds ? `, ${seconds} s` : ''));
    default:
      return h('a', { href: source, class: 'file', download: name || 'file' }, icon('file'),
        h('span', {}, h('span', { class: 'file-name' }, name || 'File'), h('small', {}, [bytes(size), mime].filter(Boolean).join(' · '))));
  }
}

function broken() {
  this.replaceWith(h('span', { class: 'broken' }, icon('cross'), ' The picture cannot be loaded'));
}

/** Signs, the same ones counted. */
export function signs(list) {
  if (!list.length) return null;
  const counts = new Map();
  for (const sign of list) counts.set(sign, (counts.get(sign) ?? 0) + 1);
  return h('div', { class: 'signs', 'data-testid': 'signs' },
    [...counts].map(([sign, count]) => h('span', {}, sign, count > 1 ? ` ${count}` : '')));
}

export function when(at) {
  return h('time', { datetime: new Date(at).toISOString(), title: wholeTime(at) }, clock(at));
}

/** A quotation of the message that is answered; pressing it leads there. */
export function quoted(text, key) {
  const show = () => {
    const found = [...document.querySelectorAll('[data-key]')].find((node) => node.dataset.key === key);
    if (!found) return;
    found.scrollIntoView({ block: 'center', behavior: 'smooth' });
    found.classList.add('found');
    setTimeout(() => found.classList.remove('found'), 1600);
  };
  return h('button', { type: 'button', class: 'quoted', onclick: show, disabled: !key }, text);
}

/** One message. */
export function bubble({ own, classes = '', testid, head, body, foot, keys, marks, tools }) {
  return h('article', { class: `bubble ${own ? 'own' : ''} ${classes}`, 'data-testid': testid },
    h('div', { class: 'bubble-body' }, head, body, h('footer', {}, foot)),
    keys, marks, tools && h('div', { class: 'tools' }, tools));
}

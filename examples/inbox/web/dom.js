// Small tools that all pages share. Whatever comes from outside becomes text nodes, never markup.

/** Makes an element: h('button', { class: 'primary', onclick: f, data: { id: 1 } }, 'Send'). */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'data') Object.assign(node.dataset, value);
    else if (name === 'class') node.className = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return node;
}

export const $ = (id) => document.getElementById(id);

const PATHS = {
  clock: 'M12 7v5l3 2M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0',
  tick: 'M5 12.5l4.500 4.500L19 7.500',
  ticks: 'M2 12.500l4.500 4.500L16 7.500M11 16l1 1 9.500-9.500',
  cross: 'M12 8v5M12 16.500v.01M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0',
  unknown: 'M9.500 9.500a2.500 2.500 0 1 1 3.500 2.300c-.7.3-1 .8-1 1.700M12 16.800v.01M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0',
  clip: 'M20 11.500l-8.300 8.300a5 5 0 0 1-7.100-7.100l8.600-8.600a3.300 3.300 0 0 1 4.700 4.700l-8.500 8.500a1.600 1.600 0 0 1-2.300-2.300l7.600-7.600',
  keys: 'M4 6h16v12H4zM8 10h8M8 14h5',
  send: 'M4 12l16-8-5 16-3.500-6.500zM11.500 13.500L20 4',
  file: 'M7 3h7l4 4v14H7zM14 3v5h4',
  reply: 'M9 7L4 12l5 5M4 12h9a7 7 0 0 1 7 7',
  pencil: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3',
  bin: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  smile: 'M8.500 14a4 4 0 0 0 7 0M9 9.500v.01M15 9.500v.01M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0',
  back: 'M15 5l-7 7 7 7',
  info: 'M12 11v5M12 8v.01M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0',
  close: 'M6 6l12 12M18 6L6 18',
};

export function icon(name, kind = '') {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon ${kind}`);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

/** Initials on a colour that stays the same for the same name. */
export function avatar(name, size = '') {
  return dress(h('span', { class: `avatar ${size}`, 'aria-hidden': 'true' }), name);
}

export function dress(node, name) {
  const words = (name || '?').trim().split(/\s+/u);
  node.textContent = words.slice(0, 2).map((word) => [...word][0] ?? '').join('').toUpperCase() || '?';
  let sum = 7;
  for (const sign of name || '?') sum = (sum * 31 + sign.codePointAt(0)) % 3600;
  node.style.setProperty('--hue', sum % 360);
  return node;
}

/** Brings children in line with `items`, keeping those that did not change: players play on, pictures stay. */
export function reconcile(parent, items, key, render) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    const print = JSON.stringify(item);
    let node = old.get(name);
    if (!node || node.print !== print) {
      const fresh = render(item);
      fresh.dataset.key = name;
      fresh.print = print;
      if (node) {
        if (place === node) place = fresh;
        node.replaceWith(fresh);
      }
      node = fresh;
    }
    old.delete(name);
    if (place === node) place = node.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  for (const gone of old.values()) gone.remove();
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export const clock = (at) => CLOCK.format(at);
export const shortDay = (at) => SHORT_DAY.format(at);
export const wholeTime = (at) => WHOLE.format(at);

export function day(at) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86400000);
  return days === 0 ? 'Today' : days === 1 ? 'Yesterday' : DAY.format(at);
}

export const shortTime = (at) => (new Date(at).toDateString() === new Date().toDateString() ? clock(at) : shortDay(at));

export function bytes(size) {
  if (size === undefined || size === null) return '';
  if (size < 1024) return `${size} B`;
  return size < 1048576 ? `${Math.round(size / 1024)} KB` : `${(size / 1048576).toFixed(1)} MB`;
}

/** Asks the desk. Throws an Error with the words of `{ error }`. */
export async function ask(path, { body, form, agent, signal } = {}) {
  const headers = {};
  if (agent) headers['x-agent'] = agent;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const method = body !== undefined || form ? 'POST' : 'GET';
  const answer = await fetch(path, { method, headers, signal, body: form ?? (body === undefined ? undefined : JSON.stringify(body)) });
  if (answer.ok) return answer.status === 204 ? undefined : answer.json();
  const words = await answer.json().catch(() => ({}));
  throw new Error(words.error || `${answer.status} ${answer.statusText}`);
}

/** Shows what went wrong, for a while. */
export function toast(error) {
  if (error.name === 'AbortError') return;
  const node = h('div', { 'data-testid': 'toast' }, error.message || String(error));
  $('toasts').append(node);
  setTimeout(() => node.remove(), 7000);
}

/** A text box that grows with its text; Enter sends, Shift+Enter begins a line. */
export function growing(box, send) {
  const grow = () => {
    box.style.height = 'auto';
    box.style.height = `${Math.min(box.scrollHeight + 2, 180)}px`;
  };
  box.addEventListener('input', grow);
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    }
  });
  return grow;
}

/** Keeps a thread at its end, unless the reader has scrolled up. */
export function stickToEnd(node, change, force = false) {
  const near = node.scrollHeight - node.scrollTop - node.clientHeight < 80;
  change();
  if (near || force) node.scrollTop = node.scrollHeight;
}

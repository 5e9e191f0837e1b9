// The customer's side of a simulated provider.

import { $, ask, clock, day, dress, growing, h, icon, reconcile, stickToEnd, toast } from './dom.js';
import { bubble, file, link, quoted, signs } from './bubbles.js';
import { calmly, live } from './live.js';

const state = { simulators: [], provider: null, id: null, doing: null };

const simulator = () => state.simulators.find((s) => s.provider === state.provider);
const path = (more = '') => `/api/simulators/${state.provider}/customers${more}`;
const act = (deed) => ask(path(`/${state.id}`), { body: deed });

const load = calmly(async () => {
  state.simulators = await ask('/api/simulators');
  const all = state.simulators.flatMap((s) => s.customers.map((c) => ({ ...c, provider: s.provider, title: s.title })));
  $('nobody').hidden = state.simulators.length > 0;
  $('phone').hidden = !all.length;
  $('newcomer').hidden = !state.simulators.length;
  if (!all.some((c) => c.provider === state.provider && c.id === state.id)) pick(remembered(all) ?? all.filter((c) => c.provider === state.simulators[0].provider).at(-1));
  fillWho(all);
  if (!state.id) return;
  showHead(all.find((c) => c.id === state.id && c.provider === state.provider));
  const lines = await ask(path(`/${state.id}`));
  const first = state.shown !== state.id;
  state.shown = state.id;
  stickToEnd($('chat'), () => show(lines), first);
});

function remembered(all) {
  const key = location.hash.slice(1) || sessionStorage.getItem('inbox-customer');
  return all.find((c) => `${c.provider}/${c.id}` === decodeURIComponent(key ?? ''));
}

function pick(customer) {
  state.provider = customer?.provider ?? state.simulators[0]?.provider ?? null;
  state.id = customer?.id ?? null;
  if (customer) sessionStorage.setItem('inbox-customer', `${customer.provider}/${customer.id}`);
  doing(null);
}

function fillWho(all) {
  const print = JSON.stringify(all);
  const chosen = `${state.provider}/${state.id}`;
  if ($('who').print !== print) {
    $('who').print = print;
    $('who').replaceChildren(...state.simulators.map((s) => h('optgroup', { label: s.provider },
      s.customers.map((c) => h('option', { value: `${s.provider}/${c.id}` }, c.name)))));
  }
  $('who').value = chosen;
}

function showHead(customer) {
  $('business').textContent = customer.title;
  $('provider').textContent = customer.blocked ? 'you blocked it' : customer.provider;
  dress($('business-avatar'), customer.title);
  $('block').textContent = customer.blocked ? 'Unblock' : 'Block';
  $('block').dataset.blocked = customer.blocked ? 'yes' : 'no';
  $('phone').classList.toggle('blocked', customer.blocked);
}

function show(lines) {
  const items = [];
  let last = '';
  for (const line of lines) {
    const today = day(line.at);
    if (today !== last) items.push({ key: `day ${today}`, day: today });
    last = today;
    const answered = line.reply_to && lines.find((l) => l.id === line.reply_to);
    items.push({ key: `${state.id} ${line.id}`, line, quote: answered && (answered.text || 'A picture') });
  }
  reconcile($('chat'), items, (item) => item.key, (item) =>
    (item.day ? h('div', { class: 'day' }, item.day) : drawLine(item)));
}

function drawLine({ line, quote }) {
  const source = path(`/${state.id}/media/${line.id}`);
  return bubble({
    own: line.own, testid: line.own ? 'line-own' : 'line-theirs', classes: line.deleted ? 'deleted' : '',
    head: quote && quoted(quote, `${state.id} ${line.reply_to}`),
    body: [line.file && file(line.file, source), line.text && h('span', { class: 'words', dir: 'auto' }, line.text)],
    foot: [line.deleted && 'deleted · ', line.edited && !line.deleted && 'edited · ', h('time', {}, clock(line.at))],
    keys: line.buttons.length > 0 && h('div', { class: 'keyboard' }, line.buttons.map((b) => key(line, b))),
    marks: signs(line.signs),
    tools: !line.deleted && tools(line),
  });
}

function key(line, button) {
  if (button.url) return link(button.url, h('span', { class: 'key' }, `${button.label} ↗`));
  return h('button', {
    type: 'button', class: 'key', 'data-testid': 'inline-button',
    onclick: () => act({ do: 'press', line: line.id, data: button.data ?? '' }).catch(toast),
  }, button.label);
}

function tools(line) {
  const tool = (name, title, onclick) => h('button', { type: 'button', title, 'aria-label': title, onclick }, icon(name));
  const react = (sign) => act({ do: 'react', line: line.id, sign }).catch(toast);
  return [
    tool('reply', 'Answer', () => doing({ what: 'reply', line })),
    line.own && line.text && tool('pencil', 'Edit', () => doing({ what: 'edit', line })),
    !line.own && h('details', { class: 'menu signs-menu' },
      h('summary', { title: 'React' }, icon('smile'), h('span', { class: 'visually-hidden' }, 'React')),
      h('div', {}, [...simulator().signs, ''].map((sign) => h('button', {
        type: 'button', 'aria-label': sign || 'No sign', 'data-testid': 'react', onclick: () => react(sign),
      }, sign || '✕')))),
  ];
}

/** Answers or changes a line with what is written next. */
function doing(what) {
  state.doing = what;
  $('doing').hidden = !what;
  if (!what) return;
  $('doing').replaceChildren(icon(what.what === 'edit' ? 'pencil' : 'reply'), h('span', { dir: 'auto' }, what.line.text || 'A picture'),
    h('button', { type: 'button', class: 'plain', 'aria-label': 'Leave it', onclick: () => doing(null) }, icon('close')));
  if (what.what === 'edit') $('text').value = what.line.text;
  $('text').focus();
}

async function send() {
  const text = $('text').value.trim();
  if (!text || !state.id) return;
  const { doing: now } = state;
  const deed = now?.what === 'edit'
    ? { do: 'edit', line: now.line.id, text }
    : { do: 'write', text, reply_to: now?.line.id ?? null };
  $('text').value = '';
  grow();
  doing(null);
  await act(deed).catch(toast);
  $('chat').scrollTop = $('chat').scrollHeight;
}

const grow = growing($('text'), send);

async function sendFile() {
  const [chosen] = $('file').files;
  if (!chosen) return;
  const form = new FormData();
  form.append('caption', $('text').value.trim());
  form.append('file', chosen, chosen.name);
  $('file').value = '';
  $('text').value = '';
  grow();
  await ask(path(`/${state.id}/file`), { form }).catch(toast);
}

async function enter(event) {
  event.preventDefault();
  const name = $('name').value.trim();
  if (!name) return;
  const customer = await ask(path(), { body: { name } });
  $('name').value = '';
  pick({ ...customer, provider: state.provider });
  await load();
  $('text').focus();
}

async function deed(what) {
  await act({ do: what, token: what === 'start' ? 'spring_sale' : undefined }).catch(toast);
  $('phone').dataset.did = what;
  await load().catch(toast);
}

function listen() {
  $('file').parentElement.append(icon('clip'));
  document.querySelector('.send').append(icon('send'));
  $('write').addEventListener('submit', (event) => {
    event.preventDefault();
    send();
  });
  $('file').addEventListener('change', sendFile);
  $('newcomer').addEventListener('submit', (event) => enter(event).catch(toast));
  $('who').addEventListener('change', (event) => {
    const [provider, id] = event.target.value.split('/');
    pick({ provider, id });
    load().catch(toast);
  });
  $('block').addEventListener('click', () => deed($('block').dataset.blocked === 'yes' ? 'unblock' : 'block'));
  for (const button of document.querySelectorAll('[data-deed]')) button.addEventListener('click', () => deed(button.dataset.deed));
  document.addEventListener('click', (event) => {
    for (const menu of document.querySelectorAll('details.menu[open]')) {
      if (!menu.contains(event.target) || event.target.closest('button')) menu.open = false;
    }
  });
}

listen();
load().catch(toast);
live((news) => ['simulator', 'everything'].includes(news.news) && load().catch(toast));

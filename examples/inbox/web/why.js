// Why rules did what they did: the traces of the hub's log, in plain words.

import { clock, h, shortDay } from './dom.js';

const NAMES = {
  auto_close: 'Closing by silence',
  bot: 'Bot',
  clocks: 'Promised times',
  closing: 'Closing',
  pinned: 'Pinned channel',
  policy: 'Policy',
  routing: 'Distribution',
  snooze: 'Snooze',
  'after_hours.bot': 'Bot after hours',
  'automatic text': 'Automatic text',
};

/** A rule's name, as people call it: "shop/greet" is the rule "greet" of the scenario "shop". */
function named(rule) {
  const [, list, number] = /^(auto_replies|after_hours\.replies)\[(\d+)\]$/.exec(rule) ?? [];
  if (list) return `${list === 'auto_replies' ? 'Auto-reply' : 'After-hours text'} ${Number(number) + 1}`;
  const [scenario, name] = rule.split('/');
  return NAMES[rule] ?? (name ? `Rule “${name}” of “${scenario}”` : rule);
}

/** What was done or dropped of late, newest first. */
export function why(whys = []) {
  if (!whys.length) return null;
  return h('section', { 'data-testid': 'why' }, h('h3', {}, 'Why'),
    h('ul', { class: 'whys' }, whys.map(({ at, rule, verdict, because }) => h('li', { class: verdict },
      h('time', { datetime: new Date(at).toISOString(), title: shortDay(at) }, clock(at)),
      h('span', {}, h('strong', {}, named(rule)), verdict === 'dropped' ? ', not done: ' : ': ', because)))));
}

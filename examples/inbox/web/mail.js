// E-mails: the subject, who read along, the words, the mail as it was sent, what was cut off, and the files.
//
// The HTML of a mail comes from a stranger. The connector cleaned it; here it is shown in a frame where nothing runs and
// which is no part of this site: neither of the two relies on the other.

import { h } from './dom.js';

/** Everything in a mail. `files` are { media, source, node }, in the order of the message. */
export function mail({ subject, cc = [], html, quoted, signature }, said, files) {
  const sent = html && new DOMParser().parseFromString(html, 'text/html');
  const shown = sent ? placed(sent, files) : new Set();
  return [
    subject && h('p', { class: 'subject', dir: 'auto', 'data-testid': 'subject' }, subject),
    cc.length > 0 && h('p', { class: 'cc' }, `Copy: ${cc.join(', ')}`),
    said,
    sent && folded('As it was sent', () => asSent(sent)),
    quoted && folded('The mail before', () => rest(quoted)),
    signature && folded('Signature', () => rest(signature)),
    files.filter(({ media }) => !shown.has(media)).map(({ node }) => node()),
  ];
}

/** Puts the mail's own pictures in place, in a document that loads and runs nothing. Gives those that are shown there. */
function placed(sent, files) {
  const shown = new Set();
  for (const image of sent.querySelectorAll('img[src^="cid:" i]')) {
    const name = plain(image.getAttribute('src').slice(4));
    const file = files.find(({ media }) => media.cid === name && media.kind === 'image');
    image.removeAttribute('src');
    if (!file) continue;
    image.setAttribute('src', new URL(file.source, location.origin));
    shown.add(file.media);
  }
  for (const link of sent.querySelectorAll('a[href]')) {
    link.setAttribute('target', '_blank');
    link.setAttribute('rel', 'noopener noreferrer');
  }
  return shown;
}

function plain(name) {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** A part that few ask for: made when it is opened. */
function folded(title, content) {
  const node = h('details', { class: 'folded' }, h('summary', {}, title));
  node.addEventListener('toggle', () => node.append(content()), { once: true });
  return node;
}

const rest = (text) => h('div', { class: 'rest', dir: 'auto' }, text);

function asSent(sent) {
  const frame = h('iframe', {
    title: 'The mail as it was sent', class: 'mail-html', 'data-testid': 'mail-html', referrerpolicy: 'no-referrer',
    // No scripts, no forms, no origin. Links open in a tab of their own, which is free of all this.
    sandbox: 'allow-popups allow-popups-to-escape-sandbox',
    srcdoc: page(sent, `${location.origin} data:`),
  });
  const remote = sent.querySelectorAll('img[data-remote-src]');
  const load = (event) => {
    event.target.remove();
    for (const image of remote) image.setAttribute('src', image.dataset.remoteSrc);
    frame.srcdoc = page(sent, `${location.origin} data: https:`);
  };
  const ask = remote.length > 0 && h('button', {
    type: 'button', 'data-testid': 'load-remote', onclick: load, title: 'Whoever sent the mail then learns that it is read, and from where',
  }, 'Load remote pictures');
  return h('div', {}, ask, frame);
}

/** The frame's page. Its policy comes first of all, so nothing in the mail stands before it. */
function page(sent, pictures) {
  const policy = `default-src 'none'; img-src ${pictures}; style-src ${location.origin}; form-action 'none'; base-uri 'none'`;
  return `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">`
    + '<meta name="referrer" content="no-referrer">'
    + `<link rel="stylesheet" href="${location.origin}/static/mail.css"><body>${sent.body.innerHTML}`;
}

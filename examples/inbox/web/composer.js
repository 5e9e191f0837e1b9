// The answer that is being written: files, buttons, and what would go out, asked while typing.

import { $, ask, growing, h, icon, shortTime, toast } from './dom.js';
import { preview } from './thread.js';

/** Reasons that lie in the other side, whatever is written. */
const LASTING = ['blocked', 'closed', 'customer_first', 'receive_only', 'template_needed', 'window_closed'];

const NOTES = {
  text_split: (n) => `Will be split into ${n.pieces} messages`,
  caption_moved: () => 'The text goes as a message of its own',
  markup_flattened: () => 'Formatting goes as plain words',
  buttons_as_text: () => 'Buttons go as a numbered list',
  buttons_rewrapped: () => 'Buttons are laid out anew',
  album_split: (n) => `Files go as ${n.messages} messages`,
  dropped: (n) => `Left out on this channel: ${n.kind.replaceAll('_', ' ')}`,
  falls_back: (n) => `Goes in another form: ${n.kind.replaceAll('_', ' ')}`,
};

const EMPTY = () => ({ text: '', files: [], keys: [], replyTo: null, editing: null });

export class Composer {
  constructor({ send, typing }) {
    this.sendForm = send;
    this.typing = typing;
    this.drafts = new Map();
    this.draft = EMPTY();
    this.grow = growing($('text'), () => this.submit());
    this.lastTyping = 0;
    this.busy = false;
    $('attach').parentElement.append(icon('clip'));
    $('add-key').append(icon('keys'));
    $('send').append(icon('send'));
    $('text').addEventListener('input', () => this.wrote());
    $('text').addEventListener('paste', (event) => this.addFiles(event.clipboardData.files));
    $('attach').addEventListener('change', () => {
      this.addFiles($('attach').files);
      $('attach').value = '';
    });
    $('add-key').addEventListener('click', () => {
      $('key').hidden = !$('key').hidden;
      if (!$('key').hidden) $('key').focus();
    });
    $('key').addEventListener('keydown', (event) => this.keyTyped(event));
    $('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit();
    });
  }

  /** Shows the draft of a conversation; asks anew whether it may go out. */
  open(conversation) {
    if (this.id !== conversation.id) {
      this.id = conversation.id;
      if (!this.drafts.has(this.id)) this.drafts.set(this.id, EMPTY());
      this.draft = this.drafts.get(this.id);
      this.show();
    }
    this.plan();
  }

  /** Answers a certain message. */
  answer(message) {
    this.draft.replyTo = { id: message.provider_ids[0], text: preview(message.content) };
    this.draft.editing = null;
    this.show();
    $('text').focus();
  }

  /** Changes the words of a sent message. */
  edit(message, save) {
    Object.assign(this.draft, { editing: { text: preview(message.content), save }, replyTo: null, text: message.content.text.plain });
    this.show();
    $('text').focus();
  }

  wrote() {
    this.draft.text = $('text').value;
    if (Date.now() - this.lastTyping > 4000 && this.draft.text && !this.draft.editing) {
      this.lastTyping = Date.now();
      this.typing().catch(() => {});
    }
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.plan(), 250);
    $('send').disabled = this.busy || this.refused || !this.hasContent();
  }

  addFiles(list) {
    if (!list.length) return;
    this.draft.files.push(...list);
    this.changed();
  }

  /** Enter takes the button over; Escape, or Enter on nothing, goes back to the text. */
  keyTyped(event) {
    if (event.isComposing || !['Enter', 'Escape'].includes(event.key)) return;
    event.preventDefault();
    const [label, ...data] = event.target.value.split('=');
    event.target.value = '';
    if (event.key === 'Enter' && label.trim()) {
      this.draft.keys.push({ label: label.trim(), data: (data.join('=') || label).trim() });
      this.changed();
      return;
    }
    event.target.hidden = true;
    $('text').focus();
  }

  hasContent() {
    return Boolean(this.draft.text.trim() || this.draft.files.length);
  }

  show() {
    $('text').value = this.draft.text;
    this.grow();
    chips($('files'), this.draft.files.map((f) => f.name), (at) => this.draft.files.splice(at, 1), () => this.changed());
    chips($('keys'), this.draft.keys.map((k) => `${k.label} = ${k.data}`), (at) => this.draft.keys.splice(at, 1), () => this.changed());
    const about = this.draft.editing ?? this.draft.replyTo;
    $('answering').hidden = !about;
    if (!about) return;
    const drop = () => {
      if (this.draft.editing) this.draft.text = '';
      Object.assign(this.draft, { editing: null, replyTo: null });
      this.changed();
    };
    $('answering').replaceChildren(icon(this.draft.editing ? 'pencil' : 'reply'), h('span', { dir: 'auto' }, about.text),
      h('button', { type: 'button', class: 'plain', title: 'Leave it', 'aria-label': 'Leave it', onclick: drop }, icon('close')));
  }

  changed() {
    this.show();
    this.plan();
  }

  /** Asks what would go out now. */
  async plan() {
    const { id, draft } = this;
    this.asking?.abort();
    this.asking = new AbortController();
    const body = {
      text: draft.text, buttons: draft.keys,
      files: draft.files.map(({ name, type, size }) => ({ name, type, size })),
    };
    try {
      const plan = await ask(`/api/conversations/${id}/plan`, { body, signal: this.asking.signal });
      if (id === this.id) this.planned(plan);
    } catch (error) {
      toast(error);
    }
  }

  planned({ refusal, notes = [], messages, not_before: notBefore }) {
    const why = refusal && refusal.reason !== 'empty' ? reasonText(refusal) : '';
    this.refused = Boolean(why);
    const lasting = this.refused && LASTING.includes(refusal.reason);
    $('composer').classList.toggle('refused', lasting);
    for (const id of ['text', 'attach', 'add-key']) $(id).disabled = lasting;
    $('refusal').hidden = !why;
    $('refusal').textContent = why;
    $('send').disabled = this.busy || this.refused || !this.hasContent();
    const lines = notes.map((note) => NOTES[note.note]?.(note) ?? note.note);
    if (messages > 1 && !notes.length) lines.push(`Goes as ${messages} messages`);
    if (notBefore) lines.push(`Waits until ${shortTime(notBefore)}: the provider asked for a pause`);
    $('notes').textContent = lines.join(' · ');
  }

  async submit() {
    if (this.busy || this.refused || !this.hasContent()) return;
    const { draft, id } = this;
    this.busy = true;
    $('send').disabled = true;
    try {
      if (draft.editing) await draft.editing.save(draft.text);
      else await this.sendForm(form(draft));
      this.drafts.set(id, EMPTY());
      $('key').hidden = true;
      if (id === this.id) this.draft = this.drafts.get(id);
    } catch (error) {
      toast(error);
    }
    this.busy = false;
    this.changed();
  }
}

function form({ text, files, keys, replyTo }) {
  const data = new FormData();
  data.append('text', text);
  if (keys.length) data.append('buttons', JSON.stringify(keys));
  if (replyTo) data.append('reply_to', replyTo.id);
  for (const file of files) data.append('file', file, file.name);
  return data;
}

function reasonText(refusal) {
  if (refusal.reason === 'window_closed') return `The reply window closed on ${new Date(refusal.closed_at).toLocaleString()}`;
  const { text } = refusal;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function chips(node, names, remove, changed) {
  node.hidden = !names.length;
  node.replaceChildren(...names.map((name, at) => h('span', { class: 'chip' }, h('span', { dir: 'auto' }, name),
    h('button', {
      type: 'button', class: 'plain', 'aria-label': `Remove ${name}`,
      onclick: () => {
        remove(at);
        changed();
      },
    }, icon('close')))));
}

// Which questions a conversation has: those that another tab has changed, and those that are taken out
// of it and had back.

/** @import { Store } from "./store.js" */
/** @import { Conversation, Turn } from "../../types.js" */

// Those of a conversation as the server has it. What is the same stays as it is here, with whatever is
// being written in it.
/** @param {Turn[]} here @param {Turn[]} there */
export function merged(here, there) {
  const own = new Map(here.map((turn) => [turn.id, turn]));
  return there.map((turn) => {
    const known = own.get(turn.id);
    return known && isSame(known, turn) ? known : turn;
  });
}

/** @param {Turn} one @param {Turn} other */
const isSame = (one, other) => one.state === other.state && one.vote === other.vote && String(one.noted) === String(other.noted) && one.answer?.text === other.answer?.text;

// Take questions out. Gives what has them back where they were, in place of what was asked instead.
/** @param {Store} store @param {Conversation} conversation @param {Turn[]} gone */
export function takeOut(store, conversation, gone) {
  const before = conversation.turns;
  conversation.turns = before.filter((turn) => !gone.includes(turn));
  store.drop(conversation, gone.map(({ id }) => id));
  /** @param {Turn} [instead] */
  return (instead) => {
    if (instead) store.drop(conversation, [instead.id]);
    const since = conversation.turns.filter((turn) => turn !== instead && !before.includes(turn));
    conversation.turns = [...before, ...since];
    for (const turn of gone) store.keep(conversation, turn);
  };
}

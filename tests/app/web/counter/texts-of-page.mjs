// The sentences that the pages under test get from the server, in short.
export const texts = {
  given: {
    stamps_for: ["1 stamp for {name}", "2 stamps for {name}", "3 stamps for {name}"],
    stamps: ["1 stamp given", "2 stamps given", "3 stamps given"],
    progress: "{stamps} of {required}",
    progress_to_go: "{stamps} of {required} — {to_go}",
    to_go: ["one more to go", "2 more to go", "3 more to go"],
    full: "Card full: {reward}",
    next_card: "{stamps} of {required} on the next card",
    voucher_for: "{reward} for {name}",
    hand_over: "Hand it over.",
    todo: {
      percent: "Take {percent} off.",
      money: "Take {sum} off.",
      rest: "{left} is left of it.",
      all_used: "That was all of it.",
      event: "Let them in.",
    },
    undone: "Undone",
    undone_stamp: "The stamps are off the card again.",
    undone_redemption: "The reward is back on the card.",
    undone_expired: "Its last day is over: it can't be used any more.",
  },
  amount: { left: "{left} is left", all: "All of it: {left}", at_most: "At most {most}." },
  refused: {
    spent_at: "Used at {time}, {place}.",
    spent_next: "Ask for a fresh code.",
    next: { code_spent: "", code_invalid: "", card_closed: "Ask your manager." },
    other: "That did not work",
    other_next: "Scan again.",
  },
  waiting: {
    checking: { title: "One moment", text: "Waiting for the answer." },
    network: { title: "Waiting for the network", text: "Not confirmed yet." },
    busy: { title: "Waiting for the server", text: "Nothing is counted yet." },
    in_use: { title: "Just being used", text: "Another till holds this code." },
    stopped: "Stopped. Nothing was counted.",
    stopped_unsure: "Stopped. It may have counted.",
  },
  stamp_code: {
    collected: "Collected by {name}",
    collected_anonymous: "Collected",
    card: "{what} · card {number}",
  },
  latest: { stamp: ["1 stamp", "2 stamps"] },
  kinds: { enrolment: { title: "This code makes a till", text: "It is for a new device." } },
  queue: {
    voucher: "Reward",
    scanned: "{what}, scanned at {time}.",
    died: "The code died while waiting",
    died_next: "Nothing was counted.",
  },
  training: {
    left: "{minutes} min left",
    nothing: "Nothing was given.",
    stamps: ["Practice: 1 stamp", "Practice: 2 stamps", "Practice: 3 stamps"],
    voucher: "Practice: a reward",
  },
  sale: { other: "Other" },
  refund: { pay_back: "Pay back {sum}", off: "Off the card.", owes: ["1 short", "2 short"] },
  reason: "Undone at the till",
};

/** Without the marks that isolate a name from the sentence round it. */
export const plainly = (text) => text.replace(/[\u2068\u2069]/g, "");

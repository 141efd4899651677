"""Every table of the books, with the constraints that hold "once".

Names of constraints are fixed, since ``app.programme`` asks which one was met.
Moments are UTC (``Moment``). The ledger is append-only: nothing here updates or
deletes an entry, and a card's balance is the sum of its entries.

What holds each "once":

* a code counts once: ``uq_ledger_entry_nonce``
* a request counts once: ``uq_ledger_entry_request_id``
* an entry is reversed once: ``uq_ledger_entry_reverses_id``
* what happens once in the life of the books (a birthday's gift) has a name that one
  entry can have: ``uq_ledger_entry_once``
* a terminal is enrolled once per code: ``uq_terminal_nonce``
* a joining makes one member: ``uq_member_join_id``
* a member has one card in a programme: ``uq_card_member_id_programme_id``
* a partner's code is one voucher's: ``uq_partner_code_voucher_id``
* a reward is sold no more often than there is of it, and costs no more than its budget:
  ``ck_reward_stock`` and ``ck_reward_budget``
* a member's first, second, third of a reward is there once: ``uq_voucher_nth``
* a voucher is worth no more than it was: ``ck_voucher_rest``
* a card is put to another one once: ``pk_card_merge``
* a card has one tier at a time, and one invitation: ``uq_tier_held_current`` and
  ``uq_tier_invitation_current``
* a paid period is followed by one, and a card's first is one:
  ``uq_membership_follows_id`` and ``uq_membership_first``; each is marked paid once:
  ``uq_membership_request_id``
* a rule has one version of a number: ``uq_earning_rule_version_rule_id_version``
* a card has one invitation, and a friend came by one: ``uq_referral_link_card_id``,
  ``pk_referral``
* a member is erased once: ``pk_erasure``
* mails' codes, passkeys' challenges, addresses: ``app.store.tables.account``
* a printed code belongs to one batch, under one number: ``pk_printed_code`` and
  ``uq_printed_code_batch_id_number``
* a version of a programme is announced once: ``pk_programme_version``
* a member agrees to a version once: ``pk_terms_accepted``
* a member uses an invitation once, and all together as often as it says:
  ``pk_invitation_use`` and ``ck_invitation_uses``
* a till system's receipt counts once: ``uq_purchase_till_number``
* a line of a purchase comes back once: ``pk_refund_line``
"""

from __future__ import annotations

from app.store.tables.account import (
    EmailChange,
    MailCode,
    Passkey,
    SpentChallenge,
)
from app.store.tables.cards import (
    LEDGER_KINDS,
    Card,
    LedgerEntry,
    Member,
    PrintedBatch,
    PrintedCode,
    Voucher,
)
from app.store.tables.columns import (
    Moment,
    Table,
)
from app.store.tables.earning import (
    EarningPart,
    EarningRule,
    EarningRuleVersion,
    Referral,
    ReferralLink,
)
from app.store.tables.privacy import (
    CONSENT_KINDS,
    CardMerge,
    Consent,
    Erasure,
)
from app.store.tables.promises import (
    AgeSeen,
    Eligibility,
    GroupMember,
    Invitation,
    InvitationUse,
    MemberGroup,
    ProgrammeVersion,
    TermsAccepted,
)
from app.store.tables.records import (
    AccessToken,
    AuditEntry,
    Outgoing,
    Signal,
    Watched,
)
from app.store.tables.rewards import REWARD_KINDS, PartnerCode, Reward
from app.store.tables.sales import (
    Item,
    Purchase,
    PurchaseLine,
    Refund,
    RefundLine,
)
from app.store.tables.shop import (
    Location,
    Logo,
    Programme,
    Shop,
    StaffMember,
    Terminal,
)
from app.store.tables.tiers import (
    Ladder,
    Membership,
    Plan,
    Tier,
    TierHeld,
    TierInvitation,
)

__all__ = [
    "CONSENT_KINDS",
    "LEDGER_KINDS",
    "REWARD_KINDS",
    "AccessToken",
    "AgeSeen",
    "AuditEntry",
    "Card",
    "CardMerge",
    "Consent",
    "EarningPart",
    "EarningRule",
    "EarningRuleVersion",
    "Eligibility",
    "EmailChange",
    "Erasure",
    "GroupMember",
    "Invitation",
    "InvitationUse",
    "Item",
    "Ladder",
    "LedgerEntry",
    "Location",
    "Logo",
    "MailCode",
    "Member",
    "MemberGroup",
    "Membership",
    "Moment",
    "Outgoing",
    "PartnerCode",
    "Passkey",
    "Plan",
    "PrintedBatch",
    "PrintedCode",
    "Programme",
    "ProgrammeVersion",
    "Purchase",
    "PurchaseLine",
    "Referral",
    "ReferralLink",
    "Refund",
    "RefundLine",
    "Reward",
    "Shop",
    "Signal",
    "SpentChallenge",
    "StaffMember",
    "Table",
    "Terminal",
    "TermsAccepted",
    "Tier",
    "TierHeld",
    "TierInvitation",
    "Voucher",
    "Watched",
]

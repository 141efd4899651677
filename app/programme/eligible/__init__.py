"""Who may take a card: everyone, a group, who came often enough, who is old enough.

A programme's owner says so (``rules``), and it is asked when a card is taken: who has
one keeps it, whatever is asked of others later, since what a card was promised stays
promised. But whoever is taken out of a group collects no more on a card that is for
this group alone.

A member comes into a group by the console, at a till where the group lets staff do
that, or by an invitation (``groups``, ``invitations``). How old somebody is they say
themselves, with their birthday, or staff saw a document (``ages``).
"""

from __future__ import annotations

from app.programme.eligible.ages import age_on, ages_asked, note_age
from app.programme.eligible.groups import (
    GroupMemberView,
    GroupView,
    Known,
    add_group,
    group,
    groups,
    known_of,
    put_in_at_till,
    put_in_by_number,
    save_group,
    take_out,
)
from app.programme.eligible.invitations import (
    InvitationView,
    Invited,
    end_invitation,
    invitation,
    invite,
    may_try,
    of_group,
    peek,
    use_invitation,
)
from app.programme.eligible.rules import (
    COUNTED,
    EVERYONE,
    LEAST_AGE,
    LEAST_COUNT,
    Offer,
    Rules,
    must_be_eligible,
    offers,
    rules_of,
    save_rules,
)

__all__ = [
    "COUNTED",
    "EVERYONE",
    "LEAST_AGE",
    "LEAST_COUNT",
    "GroupMemberView",
    "GroupView",
    "InvitationView",
    "Invited",
    "Known",
    "Offer",
    "Rules",
    "add_group",
    "age_on",
    "ages_asked",
    "end_invitation",
    "group",
    "groups",
    "invitation",
    "invite",
    "known_of",
    "may_try",
    "must_be_eligible",
    "note_age",
    "of_group",
    "offers",
    "peek",
    "put_in_at_till",
    "put_in_by_number",
    "rules_of",
    "save_group",
    "save_rules",
    "take_out",
    "use_invitation",
]

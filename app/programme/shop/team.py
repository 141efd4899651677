"""The people who work in the shop: their roles, PINs and sign-ins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from app.programme import audit, sessions, staff
from app.programme.errors import Forbidden, InvalidRequest, NotFound
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import (
    end_tokens,
    may_change,
    may_change_person,
    must_lead,
    refuse,
    unique,
)
from app.programme.words import clean_email, clean_name
from app.store.tables import AccessToken, Location, StaffMember
from app.tools import Tools


@dataclass(frozen=True, slots=True)
class StaffView:
    """A person who works in the shop, without secrets."""

    staff_id: UUID
    name: str
    role: str
    #: None: every location.
    location_id: UUID | None
    location_name: str | None
    email: str | None
    has_pin: bool
    is_active: bool


def staff_members(tools: Tools) -> list[StaffView]:
    """Read everyone who works or worked here: active first, by role and name."""
    with tools.database.read() as tx:
        rows = tx.execute(
            select(StaffMember, Location.name)
            .outerjoin(Location, Location.location_id == StaffMember.location_id)
            .order_by(func.lower(StaffMember.name))
        )
        people = [_view(row, place) for row, place in rows]
    return sorted(
        people, key=lambda one: (not one.is_active, staff.ROLES.index(one.role))
    )


def staff_member(tools: Tools, staff_id: UUID) -> StaffView:
    """Read one person.

    Raises:
        NotFound: no such person.
    """
    with tools.database.read() as tx:
        row = tx.execute(
            select(StaffMember, Location.name)
            .outerjoin(Location, Location.location_id == StaffMember.location_id)
            .where(StaffMember.staff_id == staff_id)
        ).first()
    if row is None:
        raise NotFound
    return _view(row[0], row[1])


def add_staff(
    tools: Tools,
    *,
    name: str,
    role: str,
    pin: str,
    location_id: UUID | None = None,
    email: str = "",
    password: str = "",
    by: ConsoleCaller,
) -> UUID:
    """Add a person.

    Args:
        tools: the books.
        name: 1 to 60 characters.
        role: ``barista``, ``manager`` or ``owner``.
        pin: for the terminal: 4 to 8 digits, not 1234 or 0000.
        location_id: where this person works; None: everywhere.
        email: for the console, managers and owners only; empty: no console.
        password: with ``email``, 10 to 200 characters.
        by: who asks.

    Returns:
        The person's id.

    Raises:
        Forbidden: ``by`` may not add people of this role.
        InvalidRequest: a field makes no sense, or the email is ``taken``.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    name = clean_name(name, wrong)
    if role not in staff.ROLES:
        wrong["role"] = "not_a_role"
    elif not may_change(by, role):
        raise Forbidden
    # Hashing takes its time on purpose: not while others wait for the books.
    pin_hash, password_hash = _hashed(staff.hash_pin, pin, wrong), None
    email = email.strip().lower()
    if email or password:
        _check_email(role, email, wrong)
        password_hash = _hashed(staff.hash_password, password, wrong)
    refuse(wrong)
    row = StaffMember(
        name=name,
        role=role,
        location_id=location_id,
        pin_hash=pin_hash,
        email=email or None,
        password_hash=password_hash,
        created_at=tools.now(),
    )
    with unique("email"), tools.database.begin() as tx:
        if location_id is not None and tx.get(Location, location_id) is None:
            raise InvalidRequest({"location_id": "missing"})
        tx.add(row)
        tx.flush()
        audit.record(
            tx,
            tools,
            "staff.added",
            row.staff_id,
            by=by.staff_id,
            name=name,
            role=role,
            has_console=bool(email),
        )
        return row.staff_id


def rename_staff(tools: Tools, staff_id: UUID, *, name: str, by: ConsoleCaller) -> None:
    """Give a person another name, as it stands at the till and in lists.

    Raises:
        Forbidden: ``by`` may not change this person.
        InvalidRequest: ``name`` makes no sense.
        NotFound: no such person.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    name = clean_name(name, wrong)
    refuse(wrong)
    with tools.database.begin() as tx:
        row = may_change_person(tx, staff_id, by)
        if row.name == name:
            return
        was, row.name = row.name, name
        audit.record(
            tx, tools, "staff.renamed", staff_id, by=by.staff_id, was=was, name=name
        )


def set_pin(tools: Tools, staff_id: UUID, *, pin: str, by: ConsoleCaller) -> None:
    """Give a person a new PIN; who is signed in with the old one is signed out.

    Raises:
        Forbidden: ``by`` may not change this person.
        InvalidRequest: ``pin`` makes no sense or is too easy.
        NotFound: no such person.
    """
    must_lead(by)
    pin_hash = staff.hash_pin(pin)
    with tools.database.begin() as tx:
        row = may_change_person(tx, staff_id, by)
        row.pin_hash = pin_hash
        end_tokens(
            tx, tools, AccessToken.staff_id == staff_id, AccessToken.kind == "staff"
        )
        audit.record(tx, tools, "staff.pin_set", staff_id, by=by.staff_id)


def set_console_access(
    tools: Tools,
    staff_id: UUID,
    *,
    email: str,
    password: str,
    by: ConsoleCaller,
    kept: str | None = None,
) -> None:
    """Give a manager or owner a sign-in for the console, or a new one.

    The person's sessions in the console end: who sets a new password for themselves
    may do so because somebody else has the old one.

    Args:
        tools: the books.
        staff_id: the person.
        email: as typed.
        password: 10 to 200 characters.
        by: who asks.
        kept: the token of the session that asks, which goes on.

    Raises:
        Forbidden: ``by`` may not change this person.
        InvalidRequest: a field makes no sense, or the email is ``taken``.
        NotFound: no such person.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    email = email.strip().lower()
    _check_email(staff_member(tools, staff_id).role, email, wrong)
    password_hash = _hashed(staff.hash_password, password, wrong)
    refuse(wrong)
    with unique("email"), tools.database.begin() as tx:
        row = may_change_person(tx, staff_id, by)
        row.email, row.password_hash = email, password_hash
        tx.flush()
        end_tokens(
            tx,
            tools,
            AccessToken.staff_id == staff_id,
            AccessToken.kind == "console",
            AccessToken.token_hash != sessions.hash_of(kept or ""),
        )
        audit.record(tx, tools, "staff.console_access_set", staff_id, by=by.staff_id)


def set_active(
    tools: Tools, staff_id: UUID, *, is_active: bool, by: ConsoleCaller
) -> None:
    """Switch a person off, at once and everywhere, or on again.

    Raises:
        Forbidden: ``by`` may not change this person, or is this person.
        NotFound: no such person.
    """
    must_lead(by)
    with tools.database.begin() as tx:
        # Held until we commit: two owners cannot switch each other off at once.
        holders = tx.scalars(
            select(StaffMember.staff_id)
            .where(StaffMember.role == "owner", StaffMember.is_active)
            .order_by(StaffMember.staff_id)
            .with_for_update()
        ).all()
        row = may_change_person(tx, staff_id, by)
        is_last_owner = not is_active and list(holders) == [staff_id]
        if staff_id == by.staff_id or is_last_owner:
            raise Forbidden
        if row.is_active == is_active:
            return
        row.is_active = is_active
        if not is_active:
            end_tokens(tx, tools, AccessToken.staff_id == staff_id)
        action = "staff.switched_on" if is_active else "staff.switched_off"
        audit.record(tx, tools, action, staff_id, by=by.staff_id, name=row.name)


def _hashed(
    hash_: Callable[[str], str], secret: str, wrong: dict[str, str]
) -> str | None:
    """Hash a secret, or note what is wrong with it among the other fields."""
    try:
        return hash_(secret)
    except InvalidRequest as error:
        wrong.update(error.fields)
        return None


def _check_email(role: str, email: str, wrong: dict[str, str]) -> None:
    if role == "barista":
        wrong["email"] = "not_for_role"
    else:
        clean_email(email, wrong)


def _view(row: StaffMember, place: str | None) -> StaffView:
    return StaffView(
        staff_id=row.staff_id,
        name=row.name,
        role=row.role,
        location_id=row.location_id,
        location_name=place,
        email=row.email,
        has_pin=row.pin_hash is not None,
        is_active=row.is_active,
    )

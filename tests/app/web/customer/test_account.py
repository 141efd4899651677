"""The account's pages, with Flask's client."""

from __future__ import annotations


def test_the_card_leads_to_the_account_and_back(anna):
    phone, card_id = anna

    assert 'href="/account"' in phone.get(f"/card/{card_id}").text
    page = phone.get("/account")
    assert page.status_code == 200
    assert "My account" in page.text
    assert 'href="/card"' in page.text


def test_a_stranger_has_no_account(phone):
    assert phone.get("/account").status_code == 401

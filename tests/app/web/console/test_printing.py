"""The pages of printing, and the way of a stamp from paper to a card."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from uuid import uuid4

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from app.programme import batches, members, shop, stamping
from app.programme.batches import MOST_PRINTINGS, PRINT_WITHIN
from app.programme.sessions import ConsoleCaller
from app.store.tables import AuditEntry
from app.web.console.paper.layouts import LAYOUTS
from app.web.console.printing import PAPERS
from tests.app.web.conftest import app_over
from tests.app.web.console.conftest import Browser, seen

NEW = "/console/printing/new"


@pytest.fixture
def fields(tools, founded):
    return {
        "name": "Spring market",
        "count": "20",
        "stamps": "2",
        "last_day": (tools.now() + timedelta(days=60)).date().isoformat(),
        "programme_id": str(founded.programme_id),
        "location_id": str(founded.location_id),
        "layout": "a4",
    }


@pytest.fixture
def page(owner, fields):
    """The page of a batch that was made."""
    answer = owner.send(NEW, **fields)
    assert answer.status_code == 302, seen(answer)
    return answer.headers["Location"].partition("?")[0]


def links(pdf):
    document = pypdfium2.PdfDocument(pdf)
    found = []
    for sheet in document:
        picture = sheet.render(scale=203 / 72).to_numpy()
        found += [each.text for each in zxingcpp.read_barcodes(picture)]
        sheet.close()
    document.close()
    return found


def download(browser, page, layout="a4"):
    return browser.send(page, f"{page}/print", layout=layout)


def pictures(pdf):
    """Count the pictures on the first page."""
    document = pypdfium2.PdfDocument(pdf)
    kinds = [each.type for each in document[0].get_objects()]
    document.close()
    return kinds.count(pypdfium2.raw.FPDF_PAGEOBJ_IMAGE)


def test_the_shops_logo_is_on_paper(owner, page, tools, founded):
    plain = pictures(download(owner, page).data)
    logo = io.BytesIO()
    Image.new("RGB", (64, 64), "#d01020").save(logo, "PNG")
    lead = ConsoleCaller(founded.staff_id, "Owner", "owner")

    shop.set_logo(tools, logo.getvalue(), by=lead)

    assert pictures(download(owner, page).data) == 2 * plain


def test_every_paper_has_a_name():
    assert set(PAPERS) == set(LAYOUTS)


def test_a_list_without_batches_says_what_to_do(owner):
    answer = owner.get("/console/printing")

    assert "Print the first stamps" in seen(answer)


def test_from_the_form_to_paper_to_a_card(tools, owner, fields, page):
    # given a batch, downloaded
    answer = download(owner, page)

    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    assert 'filename="stamps-1-a4.pdf"' in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    found = links(answer.data)
    assert len(set(found)) == 20

    # when a stranger's phone opens one of its links and taps the button
    phone = Browser(app_over(tools).test_client())
    landing = "/S/" + found[0].rpartition("/")[2]
    shown = phone.get(landing)
    assert "2 stamps from Nyhavn" in seen(shown)
    collected = phone.send(landing, "/collect", code=found[0])

    # then the stamps are on a card, and the batch tells
    assert collected.status_code == 303
    assert "1 of 20 came back" in seen(owner.get(page))
    assert "1 of 20 came back" in seen(owner.get("/console/printing"))
    other = Browser(app_over(tools).test_client())
    assert "Already collected" in seen(other.get(landing))


def test_the_day_on_paper_is_the_last_one(tools, owner, founded, page, clock):
    [url, *_] = links(download(owner, page).data)
    phone = Browser(app_over(tools).test_client())
    landing = "/S/" + url.rpartition("/")[2]

    clock.forward(timedelta(days=62))

    answer = phone.get(landing)
    assert answer.status_code == 410
    assert "Its last day is over" in seen(answer)
    owner.hold(tools, founded.staff_id)
    assert "Ended" in seen(owner.get(page))


def test_calling_back_wants_a_reason_and_stops_the_stamps(tools, owner, page):
    [url, *_] = links(download(owner, page).data)
    landing = "/S/" + url.rpartition("/")[2]
    without = owner.send(page, f"{page}/revoke", reason=" ")
    assert without.status_code == 422
    assert "Say why" in seen(without)

    owner.send(page, f"{page}/revoke", reason="The box was stolen")

    told = seen(owner.get(page))
    assert "Called back" in told
    assert "The box was stolen" in told
    assert "Download the PDF" not in told
    phone = Browser(app_over(tools).test_client())
    answer = phone.get(landing)
    assert answer.status_code == 410
    assert "This printed stamp was called back" in seen(answer)


def test_the_api_says_that_a_printed_stamp_was_called_back(
    tools, owner, page, founded, make_card
):
    [url, *_] = links(download(owner, page).data)
    owner.send(page, f"{page}/revoke", reason="Lost")
    joined = members.join(tools)
    client = app_over(tools).test_client()

    answer = client.post(
        f"/api/v1/cards/{joined.card_id}/stamps",
        json={"code": url},
        headers={"Authorization": f"Bearer {joined.token}"},
    )

    assert answer.status_code == 410
    assert answer.json["code"] == "code_revoked"
    assert "called back" in answer.json["detail"]


def test_each_download_is_in_the_audit_log_and_they_are_few(tools, owner, page):
    for layout in list(LAYOUTS)[:MOST_PRINTINGS]:
        assert download(owner, page, layout).status_code == 200

    told = seen(owner.get(page))
    assert "downloaded as often as it may be" in told
    with tools.database.read() as tx:
        rows = tx.query(AuditEntry).filter_by(action="batch.printed").all()
        details = [row.detail for row in rows]
    assert [detail["layout"] for detail in details] == list(LAYOUTS)[:MOST_PRINTINGS]
    assert [detail["time"] for detail in details] == [1, 2, 3, 4, 5]


def test_two_pages_open_at_once_get_no_file_more(tools, owner, page, founded):
    token = re.search(r'name="csrf_token" value="([^"]+)"', owner.get(page).text)[1]
    for _ in range(MOST_PRINTINGS):
        download(owner, page)

    answer = owner.client.post(
        f"{page}/print", data={"csrf_token": token, "layout": "a4"}
    )

    assert answer.status_code == 422
    assert answer.mimetype == "text/html"
    assert "as often as it may be" in seen(answer)


def test_who_comes_late_reads_why(tools, owner, page, clock, founded):
    clock.forward(PRINT_WITHIN + timedelta(seconds=1))
    owner.hold(tools, founded.staff_id)

    told = seen(owner.get(page))

    assert "no longer: it is as good as cash" in told
    assert "Download the PDF" not in told


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "Please fill this in."),
        ("count", "2001", "A whole number from 1 to 2,000."),
        ("count", "many", "A whole number from 1 to 2,000."),
        ("count", "²", "A whole number from 1 to 2,000."),
        ("stamps", "6", "A whole number from 1 to 5."),
        ("last_day", "2020-01-01", "Choose a day from today"),
        ("last_day", "soon", "Please fill this in."),
    ],
)
def test_what_makes_no_sense_is_told_at_its_field(
    owner, fields, field, value, sentence
):
    answer = owner.send(NEW, **(fields | {field: value}))

    assert answer.status_code == 422
    assert sentence in seen(answer)
    assert 'value="Spring market"' in answer.text or field == "name"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_sample_is_worth_nothing(tools, owner, layout):
    answer = owner.get(f"/console/printing/sample.pdf?layout={layout}")

    found = links(answer.data)
    assert len(found) == LAYOUTS[layout].on_page
    assert {url.lower() for url in found} == {f"{tools.settings.origin}/join"}


def test_a_batch_that_is_none_is_not_found(owner):
    assert owner.get(f"/console/printing/{uuid4()}").status_code == 404


def test_strangers_are_led_to_the_door(stranger, tools, founded):
    by = ConsoleCaller(founded.staff_id, "Owner", "owner")
    batch_id = batches.make(
        tools,
        name="x",
        programme_id=founded.programme_id,
        location_id=None,
        stamps=1,
        count=1,
        last_day=tools.now().date() + timedelta(days=1),
        by=by,
    )

    for path in ("", "/new", "/sample.pdf", f"/{batch_id}"):
        answer = stranger.get(f"/console/printing{path}")
        assert answer.status_code == 302
        assert "sign-in" in answer.headers["Location"]


def test_a_stamp_from_nowhere_in_particular_is_shown(tools, owner, fields):
    page = owner.send(NEW, **(fields | {"location_id": ""})).headers["Location"]
    page = page.partition("?")[0]
    [url, *_] = links(download(owner, page).data)
    joined = members.join(tools, name="Anna")

    stamping.collect(tools, url, card_id=joined.card_id)

    home = seen(owner.get("/console/"))
    assert "2 stamps" in home
    phone = Browser(app_over(tools).test_client())
    phone.client.set_cookie("pp_member", joined.token)
    assert phone.get(f"/card/{joined.card_id}").status_code == 200
    assert phone.get(f"/card/{joined.card_id}/history").status_code == 200

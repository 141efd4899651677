"""A partner's codes as they are pasted: every line is a code or named as none."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.programme.errors import InvalidRequest
from app.programme.rewards import partners

CODES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9./_-]{0,20}", fullmatch=True).filter(
    lambda code: (
        code.casefold() not in {"code", "codes", "kode", "kood", "kod", "coupon"}
    )
)
LINES = st.one_of(CODES, st.text(max_size=100), st.sampled_from(["", '"', ";", "a\tb"]))


@given(st.lists(LINES, max_size=30).map("\n".join))
@example("\ufeffCode;Name\r\nA1;Anna\r\n")
@example('"A,1"\n"A\x00"')
@example("\ud800")
def test_whatever_is_pasted_is_read_or_refused_by_its_line(text: str):
    try:
        pool = partners.read(text)
    except InvalidRequest:
        return

    lines = len(text.lstrip("\ufeff").splitlines())
    named = [*pool.codes.values(), *(fault.line for fault in pool.faults)]
    # no line is two things, and all of them are there
    assert len(set(named)) == len(named)
    assert all(1 <= line <= lines for line in named)
    assert all(0 < len(code) <= partners.CODE_LENGTH for code in pool.codes)
    assert not any(code[0] in "=+-@" or "\n" in code for code in pool.codes)
    # what was read reads the same again
    if pool.codes:
        again = partners.read("Code\n" + "\n".join(pool.codes))
        assert (list(again.codes), again.faults) == (list(pool.codes), ())


@given(st.lists(CODES, min_size=1, max_size=30), st.sampled_from("\t;,"))
def test_the_first_column_of_a_table_is_the_list_itself(codes: list[str], mark: str):
    table = "\r\n".join(f"{code}{mark}somebody{mark}2027" for code in codes)

    pool = partners.read(f"Code{mark}Who{mark}When\r\n{table}")

    assert list(pool.codes) == list(dict.fromkeys(codes))
    assert {fault.why for fault in pool.faults} <= {"twice"}
    assert len(pool.codes) + len(pool.faults) == len(codes)


@pytest.mark.parametrize("text", ["", "\n\n", "code", "\ufeff"])
def test_nothing_at_all_is_refused(text: str):
    with pytest.raises(InvalidRequest):
        partners.read(text)

"""The shape of a message, read from its text."""

from __future__ import annotations

import pytest

from idp.notices.domain.html_part import Block, Shape, blocks

ISSUER = "https://mandat.example"


def test_a_text_is_read_in_order() -> None:
    """Paragraphs, lists, a code and an address of ours; lines that follow one another stay together."""
    text = "Bonjour,\nvoici :\n\n- un\n- deux\n\n\n1234 5678\n\nOuvrez :\nhttps://mandat.example/freeze\n"

    assert blocks(text, issuer=ISSUER) == (
        Block(Shape.PARAGRAPH, ("Bonjour,", "voici :")),
        Block(Shape.ITEMS, ("un", "deux")),
        Block(Shape.CODE, ("1234 5678",)),
        Block(Shape.PARAGRAPH, ("Ouvrez :",)),
        Block(Shape.ADDRESS, ("https://mandat.example/freeze",)),
    )


@pytest.mark.parametrize(
    ("line", "shape"),
    [
        ("12345678", Shape.CODE),
        ("1234 5678", Shape.CODE),
        ("QX4T-7K9M-AB34", Shape.CODE),
        ("ABCD-EFGH", Shape.PARAGRAPH),
        ("Code 12345678", Shape.PARAGRAPH),
        ("https://mandat.example/recover/objection?token=a-b_c", Shape.ADDRESS),
        ("https://mandat.example", Shape.PARAGRAPH),
        ("https://mandat.example.evil.example/", Shape.PARAGRAPH),
        ("https://mandat.example@evil.example/", Shape.PARAGRAPH),
        ("http://mandat.example/", Shape.PARAGRAPH),
        ("https://evil.example/?https://mandat.example/", Shape.PARAGRAPH),
        ("javascript:https://mandat.example/", Shape.PARAGRAPH),
        ("https://mandat.example/ https://evil.example/", Shape.PARAGRAPH),
        ('https://mandat.example/"onclick=', Shape.PARAGRAPH),
        ("https://mandat.example/<b>", Shape.PARAGRAPH),
        ("https://mandat.example/\u202egro", Shape.PARAGRAPH),
        ("-not a list", Shape.PARAGRAPH),
    ],
)
def test_only_an_address_of_ours_may_be_followed(line: str, shape: Shape) -> None:
    """Another host that begins alike, a sign that HTML reads, or words beside it: it stays words."""
    assert blocks(line, issuer=ISSUER) == (Block(shape, (line,)),)


def test_a_separator_of_unicode_begins_no_line() -> None:
    """Only a line feed ends a line."""
    text = "Nom\u2028https://mandat.example/x"

    assert [block.shape for block in blocks(text, issuer=ISSUER)] == [Shape.PARAGRAPH]

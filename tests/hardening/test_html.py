"""The eyes of the crawl can see: each fault, put into a good page, is named."""

import pytest

from tests.hardening import html

GOOD = (
    '<!doctype html><html lang="mk"><head><title>Home</title><link rel="stylesheet" href="/static/a.css"></head>'
    '<body><h1>Home</h1><label for="a">A</label><input id="a" name="a"><a href="#a">x</a><svg><title>y</title></svg>'
    "%s</body></html>"
)


def test_a_good_page_has_no_faults():
    assert html.faults(GOOD % "", language="mk") == []


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ("<h1>Another</h1>", "headings of the first rank"),
        ("<title>Another</title>", "titles"),
        ('<p id="a">', "stands 2 times"),
        ('<input name="b">', "no label for"),
        ('<textarea name="b" id="b"></textarea>', "no label for"),
        ('<p style="color:red">', "a style written"),
        ("<style>p{}</style>", "a style written"),
        ("<script>1</script>", "a script written"),
        ('<p onclick="x()">', "a script in onclick"),
        ('<a href="javascript:x()">x</a>', "a script in a link"),
        ('<a href="#nowhere">x</a>', "points at nothing"),
        ('<p aria-describedby="nowhere">', "points at nothing"),
        ('<script src="https://cdn.example/a.js"></script>', "fetched from elsewhere"),
        ('<img src="//cdn.example/a.png" alt="">', "fetched from elsewhere"),
        ('<img src="/a.png">', "an image without words"),
        ('<div hx-get="https://evil.example/"></div>', "fetched from elsewhere"),
    ],
)
def test_each_fault_is_named(bad, named):
    (fault,) = html.faults(GOOD % bad, language="mk")
    assert named in fault


def test_another_language_than_the_one_asked_for_is_named():
    assert html.faults(GOOD % "", language="sq") == ["the page says its language is 'mk', not 'sq'"]

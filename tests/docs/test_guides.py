"""The guides keep their word: every block of `docs/guides/` is run in order, or says why it is not.

What stands behind a block's language says what becomes of it:

    ```bash run                what a reader types, in one shell per page
    ```python run              a program of its own in that shell's folder, with what it exported
    ```python file=name.py     is written to that file
    ```json shows              is part of what the block before it printed
    ```bash skip="a reason"    is not run
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from demo.servers.postgres import free_port
from tests.docs.test_papers import GUIDES_TYPED_HERE, ROOT, Block, Reader, agrees, blocks
from tests.product import Product

GUIDES = [path for path in sorted((ROOT / "docs" / "guides").glob("*.md")) if path.name not in GUIDES_TYPED_HERE]
LANGUAGES = {"bash", "python", "javascript", "php", "json", "console", "http", "text"}


def purpose(block: Block) -> tuple[str, str]:
    """What becomes of a block, and what is said of it: its file, or the reason."""
    words = shlex.split(block.note)
    if words in (["run"], ["shows"]):
        return words[0], ""
    if len(words) == 1 and (found := re.fullmatch(r"(file|skip)=(.+)", words[0], re.DOTALL)):
        return found[1], found[2]
    raise AssertionError(f'{block}: say run, shows, file=… or skip="a reason", not {block.note!r}')


@pytest.mark.parametrize("guide", [path.name for path in GUIDES])
def test_every_block_says_what_becomes_of_it(guide):
    previous = ""
    for block in blocks(ROOT / "docs" / "guides" / guide):
        what, said = purpose(block)
        assert block.kind in LANGUAGES, f"{block}: nobody knows {block.kind!r}"
        assert (what == "shows") == (block.kind == "json"), f"{block}: JSON is what a block shows"
        assert what != "shows" or previous == "run", f"{block}: shows what no block printed"
        assert what != "run" or block.kind in {"bash", "python"}
        assert what != "skip" or len(said.split()) >= 2, f"{block}: that is no reason"
        previous = what


def typed(block: Block) -> Block:
    """As the shell of a reader takes it; a file is written by the shell, too."""
    what, name = purpose(block)
    if what == "file":
        text = f"cat > {shlex.quote(name)} <<'END_OF_FILE'\n{block.text}END_OF_FILE\n"
        return Block(block.paper, block.line, "sh", "", text)
    return Block(block.paper, block.line, "sh" if block.kind == "bash" else block.kind, "", block.text)


@pytest.mark.stack
def test_every_guide_can_be_typed_from_top_to_bottom(product, tmp_path):
    """One test for all of them, so that one product is started, whoever shares the work."""
    ran = {}
    for path in GUIDES:
        folder = tmp_path / path.stem
        folder.mkdir()
        ran[path.name] = type_in(path, folder, product)
    silent = {name for name, count in ran.items() if not count}
    assert silent <= {"going-live.md", "scopes.md"}, "a guide without a block to run shows nothing"
    assert sum(ran.values()) > 30


def type_in(path: Path, folder: Path, product: Product) -> int:
    """Type a guide in an empty folder, at this product; returns how many blocks ran."""
    found = [block for block in blocks(path) if purpose(block)[0] != "skip"]
    port = free_port()
    here = {
        "http://127.0.0.1:8000": product.server.url,
        "http://127.0.0.1:8010": product.bank.url,
        "fc_test_…": product.acme.key,
        "4242/hooks": f"{port}/hooks",
        '"127.0.0.1", 4242': f'"127.0.0.1", {port}',
    }

    def placed(block: Block) -> Block:
        text = block.text
        for shown, real in here.items():
            text = text.replace(shown, real)
        return replace(block, text=text)

    typing = [typed(placed(block)) for block in found if purpose(block)[0] != "shows"]
    answers = iter(Reader(folder, product.server.url, product.acme.key, product.bank.url).type(typing))
    answer = ""
    for block in found:
        if purpose(block)[0] != "shows":
            answer = next(answers)
        else:
            fault = agrees(json.loads(block.text), json.loads(answer))
            assert fault is None, f"{block} {fault}\n{answer}"
    return len(typing)


@pytest.mark.parametrize("note", ["", "running", "skip=", "run file=a.py"])
def test_a_block_without_a_purpose_is_refused(note):
    with pytest.raises(AssertionError, match="say run"):
        purpose(Block("a.md", 1, "bash", note, ""))


def test_the_guides_are_there():
    assert {"quickstart.md", "link-a-bank.md", "take-a-payment.md", "webhooks.md", "scopes.md", "going-live.md"} <= {
        path.name for path in GUIDES
    }


def test_every_picture_is_small_and_shown():
    shown = {
        name
        for path in [ROOT / "README.md", *(ROOT / "docs" / "guides").glob("*.md")]
        for name in re.findall(r"images/([\w-]+\.webp)\)", path.read_text())
    }
    pictures = {path.name: path.stat().st_size for path in (ROOT / "docs" / "guides" / "images").iterdir()}
    assert shown == set(pictures)
    assert max(pictures.values()) <= 150_000

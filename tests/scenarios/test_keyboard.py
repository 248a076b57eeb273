"""The eyes of `keyboard.py`: each fault that it is there to find is found, and what is well passes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checkout.conftest import CHROMIUM
from tests.checkout.conftest import browser as browser  # a fixture
from tests.scenarios.keyboard import Keyboard

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
PAGE = """<style>
  :focus-visible {{ outline: 2px solid blue; outline-offset: 2px }}
  .bar {{ position: fixed; inset: auto 0 0 0; height: 60vh; background: white }}
  .far {{ margin-top: 3000px; margin-bottom: 3000px }}
</style><button>First</button>{fault}<button>Last</button>"""
FAULTS = {
    "no name": "<button></button>",
    "looks the same": "<button style='outline: none'>Two</button>",
    "ring, beyond": "<p><button style='margin-left: -7px'>Two</button></p>",
    "beneath something else": "<div class='bar'></div><div class='far'><button>Two</button></div>",
    "not to be seen": "<button style='opacity: 0'>Two</button>",
    "it was at:": "<button tabindex='-1'>Two</button>",
}


@pytest.mark.parametrize("told", FAULTS)
def test_each_fault_is_told(browser: Any, told: str) -> None:
    page = browser.new_page()
    page.set_content(PAGE.format(fault=FAULTS[told]))
    with pytest.raises(AssertionError, match=told):
        Keyboard(page).reach("Two")
    page.close()


def test_what_is_well_passes_in_both_directions(browser: Any) -> None:
    page = browser.new_page()
    page.set_content(PAGE.format(fault="<label>Two <input></label>"))
    keyboard = Keyboard(page)
    assert keyboard.reach("Two").role == "textbox"
    keyboard.reach("Last", "button")
    keyboard.reach("First", "button", key="Shift+Tab")
    assert keyboard.stops == 5
    page.close()

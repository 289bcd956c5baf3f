"""axe-core, the judge of accessibility."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.web.browser import Browser


def find_axe() -> str:
    """axe-core from node_modules, installed there by npm. Skips if there is no npm."""
    here = Path(__file__).parent
    script = here / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file() and (npm := shutil.which("npm")):
        subprocess.run(
            [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"], cwd=here, check=False
        )
    if not script.is_file():
        reason = "axe-core could not be installed by npm: accessibility not tested"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    return script.read_text(encoding="utf-8")


def require_no_violation(browser: Browser, axe: str, picture: str = "") -> None:
    """On a wide screen, on a phone and in the dark. `picture`: the name of what is seen, empty for none."""
    path = browser.driver.current_url
    for width, dark, look in ((1200, False, ""), (390, False, "-phone"), (1200, True, "-dark")):
        browser.look(width=width, dark=dark)
        if picture:
            browser.picture(picture + look)
        browser.driver.execute_script(axe)
        found = browser.driver.execute_async_script(
            "axe.run(document, {resultTypes: ['violations']}).then(arguments[arguments.length - 1])"
        )
        serious = [
            (violation["id"], violation["help"], [node["html"][:200] for node in violation["nodes"]])
            for violation in found["violations"]
            if violation["impact"] in ("serious", "critical")
        ]
        assert not serious, (path, width, dark, serious)
        is_wider = browser.driver.execute_script("return document.documentElement.scrollWidth > innerWidth")
        assert not is_wider, (path, width)

"""A real Chromium without a window."""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WRITES_PICTURES = bool(os.environ.get("BULKUPDATE_PICTURES"))
"""Pictures of the pages are written to docs/pictures/ when asked for: `BULKUPDATE_PICTURES=1 make test`."""

_PICTURE_HEIGHT = 1800
_SECONDS = 120.0
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1200,900",
    "--hide-scrollbars", "--no-proxy-server",
)  # fmt: skip


def require_chromium() -> tuple[str, str]:
    """Chromium and its driver. Skips the test where they are missing; in CI (CI=true) that is a failure."""
    found = shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")
    if found[0] is None or found[1] is None:
        reason = "chromium and chromedriver (Debian: chromium, chromium-driver) are not installed: page not tried"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found[0], found[1]


class Browser:
    """The browser of one user."""

    def __init__(self, *, script: bool = True) -> None:
        chromium, driver = require_chromium()
        self._home = tempfile.TemporaryDirectory(prefix="bulkupdate-browser-")
        self.downloads = Path(self._home.name) / "downloads"
        self.downloads.mkdir()
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in (*_FLAGS, f"--user-data-dir={self._home.name}/profile"):
            options.add_argument(flag)
        preferences: dict[str, object] = {"download.default_directory": str(self.downloads)}
        if not script:
            preferences["profile.managed_default_content_settings.javascript"] = 2
        options.add_experimental_option("prefs", preferences)
        self.driver = webdriver.Chrome(options, Service(driver))
        self.url = ""

    def close(self) -> None:
        self.driver.quit()
        self._home.cleanup()

    def reset(self, url: str) -> None:
        """A new user at a server: no cookie, no download, a wide window, light colours."""
        self.url = url
        self.driver.get(url + "/static/icon.svg")
        self.driver.delete_all_cookies()
        for each in self.downloads.iterdir():
            each.unlink()
        self.look()

    def look(self, *, width: int = 1200, dark: bool = False) -> None:
        """Through a window so wide, by day or by night."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def open(self, path: str) -> None:
        self.driver.get(self.url + path)

    def sign_in(self, username: str, password: str) -> None:
        self.open("/sign-in")
        self.find("#username").send_keys(username)
        self.find("#password").send_keys(password)
        self.press("Sign in")
        self.wait_for("Update customers from a sheet")

    def upload(self, path: Path) -> None:
        self.open("/")
        self.find("#sheet").send_keys(str(path))
        self.press("Check the sheet")
        self.wait(lambda: "/sheets/" in self.driver.current_url and "Checking" not in self.title, "the check")

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def press(self, label: str) -> None:
        """Press the button, or follow the link, of that name."""
        self.driver.find_element(By.XPATH, f"//*[self::button or self::a][normalize-space()='{label}']").click()

    @property
    def title(self) -> str:
        return self.driver.title

    @property
    def text(self) -> str:
        """What is read on the page; nothing between two pages, as when one refreshes itself just now."""
        try:
            return self.find("main").text
        except (StaleElementReferenceException, NoSuchElementException):
            return ""
        except WebDriverException as error:
            if "does not belong to the document" in str(error):  # the driver's own name for a stale element, at times
                return ""
            raise

    def wait_for(self, words: str) -> None:
        self.wait(lambda: words in self.text, words)

    def wait(self, condition: Callable[[], bool], what: str, seconds: float = _SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for: {what}\n{self.driver.current_url}\n{self.text}"
            time.sleep(0.05)

    def download(self, label: str) -> Path:
        """Follow a link to a file; the file."""
        before = set(self.downloads.iterdir())
        self.press(label)
        self.wait(lambda: bool(self._whole_files() - before), f"the download {label}")
        return (self._whole_files() - before).pop()

    def _whole_files(self) -> set[Path]:
        return {each for each in self.downloads.iterdir() if each.suffix in (".xlsx", ".csv")}

    def picture(self, name: str) -> None:
        """Keep the page, or its upper part, as docs/pictures/NAME.png, if pictures are asked for."""
        if WRITES_PICTURES:
            PICTURES.mkdir(exist_ok=True)
            width, height = self.driver.execute_script("return [innerWidth, document.documentElement.scrollHeight]")
            clip = {"x": 0, "y": 0, "width": width, "height": min(height, _PICTURE_HEIGHT), "scale": 1}
            taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
            (PICTURES / f"{name}.png").write_bytes(base64.b64decode(taken["data"]))

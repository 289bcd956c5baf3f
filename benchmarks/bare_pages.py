"""Read all pages of the list with `requests` in threads, and nothing else: `bare_pages URL PAGES`."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import requests

THREADS = 8
_LOCAL = threading.local()


def main(url: str, pages: int) -> None:
    """Sign in, and read them."""
    login = {"Username": "sandbox", "Password": "sandbox"}
    token = requests.post(f"{url}/token", json=login, timeout=60).json()["access_token"]

    def read(number: int) -> int:
        if not hasattr(_LOCAL, "session"):
            _LOCAL.session = requests.Session()
            _LOCAL.session.trust_env = False
            _LOCAL.session.headers["Authorization"] = f"Bearer {token}"
        query = f"model.pageNumber={number}&model.pageSize=50"
        return len(_LOCAL.session.get(f"{url}/Customers?{query}", timeout=60).json()["Items"])

    with ThreadPoolExecutor(THREADS) as pool:
        print(sum(pool.map(read, range(1, pages + 1))))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

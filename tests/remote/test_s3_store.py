"""Sheets in a bucket, from a real server of S3: keys as they are, and one version of the object or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.errors import InputFileError
from bulkupdate.remote.address import parse_address
from bulkupdate.remote.opening import open_store
from tests.remote.servers import S3Server, use_environment
from tests.remote.test_https_file import CSV, fetch

KEY = "in box/a #1?%20é+&'.csv"


def test_an_object_is_read_by_its_key_as_it_is(s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put(KEY, CSV * 50_000)
    assert fetch(f"s3://sheets/{KEY}", tmp_path).read_bytes() == CSV * 50_000
    with pytest.raises(InputFileError, match="The data has more than 1,000 bytes"):
        fetch(f"s3://sheets/{KEY}", tmp_path, max_unpacked_bytes=1_000)
    for path in ("sheets/nosuch.csv", "nosuch/a.csv"):
        with pytest.raises(InputFileError, match="there is no such key or bucket"):
            fetch(f"s3://{path}", tmp_path)
    use_environment(monkeypatch, AWS_ENDPOINT_URL="http://127.0.0.1:1")
    with pytest.raises(InputFileError, match="the service cannot be reached") as caught:
        fetch(f"s3://sheets/{KEY}", tmp_path)
    assert "of-test" not in f"{caught.value} {caught.value.__cause__}"


def test_an_object_that_is_replaced_while_it_is_read_is_refused(s3: S3Server) -> None:
    s3.put("a.csv", CSV * 100_000)
    with open_store(parse_address("s3://sheets/a.csv"), 5.0) as store:
        blocks = store.read("a.csv")
        next(blocks)
        s3.put("a.csv", CSV * 100_000 + b"164,Bob\n")
        with pytest.raises(InputFileError, match="it was changed while it was read"):
            list(blocks)


def test_objects_are_written_listed_and_moved(s3: S3Server) -> None:
    with open_store(parse_address("s3://sheets/night"), 5.0) as store:
        store.make_folder("night/inbox")
        assert store.list_files("night/inbox") == []
        for key in (f"night/inbox/{KEY.partition('/')[2]}", "night/inbox/sub/b.csv"):
            store.write(key, CSV)
        (listed,) = store.list_files("night/inbox/")
        assert listed.name == KEY.partition("/")[2]
        assert listed.version == store.find_version(f"night/inbox/{listed.name}")
        store.move(f"night/inbox/{listed.name}", "night/done/x.csv")
        assert s3.get("night/done/x.csv") == CSV
        assert store.find_version(f"night/inbox/{listed.name}") is None

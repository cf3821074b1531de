"""A visitor brings what is no data. (What becomes of data that are: test_newcomer.py.)"""

import re


def test_what_cannot_be_used_is_said_where_it_was_brought(visit, serving, tmp_path):
    with serving(tmp_path / "home") as address:
        visitor = visit("train?model=toy/bars", address=address, phone=True)
        page = visitor.page
        page.get_by_label("Number of epochs").wait_for()
        page.get_by_text("Train it on your own data").click()
        (tmp_path / "evil.zip").write_bytes(b"PK\x03\x04 and no more")
        visitor.upload(tmp_path / "evil.zip")
        visitor.says(re.compile("evil.zip is no zip archive"))
        box = page.get_by_label("Data", exact=True)
        box.fill("/nowhere/at/all")
        box.press("Enter")
        visitor.says(re.compile("There is no such folder"))
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

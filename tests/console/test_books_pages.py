"""The books in the console: balances, what moved an account, what a document posted, and who may see them."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from tests.console.test_pages import ORIGIN, client, log_in

__all__ = ["client"]


def link(page: str, pattern: str) -> str:
    found = re.search(rf'href="({pattern}[^"]*)"', page)
    assert found is not None, pattern
    return found.group(1).replace("&amp;", "&")


@pytest.mark.capability("S116")
@pytest.mark.capability("S204")
def test_finance_goes_from_balances_to_an_account_to_a_document_and_others_are_kept_out(
    client: TestClient,
) -> None:
    log_in(client, "finance")
    books = client.get("/books", headers=ORIGIN)
    assert books.status_code == 200 and 'href="/books" aria-current="page"' in books.text
    assert "are what their records add up to" in books.text and "not over" in books.text
    account = client.get(link(books.text, "/books/accounts/stock"), headers=ORIGIN).text
    assert "<h1>Stock</h1>" in account and "Opening balance" in account
    document = client.get(link(account, "/books/documents/"), headers=ORIGIN).text
    assert "Opening balance</a>" in document
    assert client.get("/books?as_of=2001-01-01", headers=ORIGIN).text.count("Nothing was posted by then") == 1
    assert client.get("/books/accounts/pocket", headers=ORIGIN).status_code == 404
    assert (
        client.get(f"/books/documents/{'0' * 8}-0000-7000-8000-{'0' * 12}", headers=ORIGIN).status_code == 404
    )
    log_in(client, "planner")
    assert 'href="/books"' not in client.get("/", headers=ORIGIN).text
    assert client.get("/books", headers=ORIGIN).status_code == 403

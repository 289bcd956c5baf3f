"""The filters of the list of customers that are documented (`docs/api.md`, section Filters)."""

from __future__ import annotations

LIST_FILTERS = (
    "customerIds", "email", "firstName", "lastName", "rating", "customerType", "subscribed", "createdOnFrom",
    "createdOnTo", "modifiedOnFrom", "modifiedOnTo", "phoneNumber", "city", "zipCode", "exported", "channel",
    "corporateName", "companyIds", "keyword", "pageNumber", "pageSize",
)  # fmt: skip
"""Parameters of `GET Customers`, without the `model.` before each."""

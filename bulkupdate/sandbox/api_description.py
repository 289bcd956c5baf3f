"""The Swagger description that the sandbox serves: the update's fields and the filters of the list."""

from __future__ import annotations

from bulkupdate.customers.fields import UPDATABLE
from bulkupdate.customers.list_filters import LIST_FILTERS


def describe_api() -> dict[str, object]:
    """Return the part of the description that is known, in the form of Swagger 2.0."""
    parameters = [{"name": f"model.{name}", "in": "query"} for name in LIST_FILTERS]
    return {
        "swagger": "2.0",
        "paths": {"/api/Customers": {"get": {"parameters": parameters}}},
        "definitions": {"UpdateCustomerRequest": {"properties": {field.name: {} for field in UPDATABLE}}},
    }

"""What a customer update is: fields, their types, the checks, and the request body.

`fields.py` is the one table of fields; schema, payload, template, help and sandbox follow from it. A frame of texts
comes in through `schema.check_frame` and leaves as a `CheckedFile`: problems, and rows with the exact bodies to send.
Nothing here reads files or talks to the service.
"""

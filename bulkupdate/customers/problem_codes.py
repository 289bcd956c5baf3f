"""The codes of problems: one fixed word for each kind, for programs and for grouping.

`docs/problems.md` is made from this list by `docs/tables.py`.
"""

from __future__ import annotations

from enum import StrEnum


class ProblemCode(StrEnum):
    """A kind of problem.

    `label` is its title. `explanation` says what is wrong, in the style of a problem's message; `remedy` how to fix it.
    Both are the defaults of a `Finding`, which says more if it knows more.
    """

    label: str
    explanation: str
    remedy: str

    def __new__(cls, code: str, label: str, explanation: str, remedy: str) -> ProblemCode:
        """Keep the texts beside the code, which is the member's value."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.label, member.explanation, member.remedy = label, explanation, remedy
        return member

    # fmt: off
    # The value of one cell.
    CUSTOMER_ID = (
        "customer-id", "Not a customer id",
        "the cell does not hold a customer id, which is a whole number of 1 or more",
        "Use the whole number Sellercloud gave it.")
    NO_CUSTOMER_ID = (
        "no-customer-id", "No customer id", "the row has no customer id", "Fill in the id, or delete the row.")
    EMAIL = ("email", "Not an e-mail address", "the text is not an e-mail address", "Write it as name@example.com.")
    PHONE = (
        "phone", "No digit in a phone number", "the phone number has no digit", "Check that this is a phone number.")
    ALIASES = (
        "aliases", "No name in a list", "the cell holds separators but no name",
        "Write names, or <clear> to empty the list.")
    WHOLE_NUMBER = ("whole-number", "Not a whole number", "the cell does not hold a whole number", "Use digits only.")
    DECIMAL = ("decimal", "Not a decimal number", "the cell does not hold a decimal number", "Write it like 2.50.")
    DECIMAL_MARK = (
        "decimal-mark", "Decimal comma", "the number has a decimal comma", "Write it with a point, or use --decimal ,.")
    THOUSANDS_SEPARATOR = (
        "thousands-separator", "Thousands separator", "the number has a thousands separator",
        "Write the number without it.")
    NEGATIVE = ("negative", "Negative number", "a negative number is not allowed here", "Use a number of 0 or more.")
    PERCENT = (
        "percent", "Percentage",
        "the number is a percentage; whether it or a hundredth of it is meant is not certain",
        "Type the plain number to be stored.")
    YES_OR_NO = ("yes-or-no", "Neither yes nor no", "the cell holds neither yes nor no", "Write Yes or No.")
    RATING = (
        "rating", "Not a rating", "the cell does not hold a rating",
        "Use a name from the list in the template, or 0 to 5.")
    SCIENTIFIC = (
        "scientific", "Shortened number", "the spreadsheet has shortened the number; digits may be lost",
        "Format the column as text and type the number in full.")
    LEADING_ZEROS = (
        "leading-zeros", "Leading zeros", "the zeros before the number are left out", "Check that this is meant.")

    # Characters, blanks and `<clear>`.
    ONLY_BLANKS = (
        "only-blanks", "Only blanks", "the cell holds nothing but blanks",
        "It counts as no change; to empty the field, type <clear>.")
    TRIMMED = (
        "trimmed", "Blanks around a text", "blanks around the text are left out", "Nothing to do if that is meant.")
    CONTROL_CHARACTER = (
        "control-character", "Control character",
        "the text holds an invisible control character; a NUL character is an error, others are sent",
        "Retype the text if the character should not be there.")
    UNSEEN_CHARACTER = (
        "unseen-character", "Invisible character", "the text holds a special blank or an invisible character",
        "Sent as it is; retype the text if the character should not be there.")
    LOST_CHARACTER = (
        "lost-character", "Lost character",
        "the text holds the sign for a character that was lost when the file was saved",
        "Correct the text, and save the file as UTF-8.")
    BROKEN_CHARACTER = (
        "broken-character", "Half a character", "the text holds half a character, which cannot be sent",
        "Retype the text.")
    LONG_TEXT = (
        "long-text", "Long text", "the text has more characters than an Excel cell can hold",
        "Sent in full; shown shortened in the workbooks.")
    SHORTENED = (
        "shortened", "Shortened text",
        "the text was shortened to fit into a cell of an earlier result; its end is missing",
        "Type the whole text, from the original file.")
    CLEAR_AND_MORE = (
        "clear-and-more", "<clear> beside text", "the cell holds <clear> beside other text",
        "Type <clear> alone to empty the field, or leave it out.")
    CLEAR_REFUSED = (
        "clear-refused", "<clear> in a field that cannot be empty", "<clear> cannot empty this field",
        "Leave the cell blank for no change, or type the new value.")
    NOT_CORRECTED = (
        "not-corrected", "Not corrected yet", "the cell was refused before and is not corrected yet",
        "Replace everything in the cell with the value to be sent.")

    # What a spreadsheet shows of a cell.
    ERROR_CELL = (
        "error-cell", "Spreadsheet error", "the cell shows an error of the spreadsheet, such as #N/A",
        "Type the value, leave the cell blank for no change, or type <clear> to empty the field.")
    FORMULA_NOT_CALCULATED = (
        "formula-not-calculated", "Formula without a value", "the cell has a formula that was never calculated",
        "Open the file in Excel and save it, or replace the formulas by their values (copy, paste special, values).")
    DATE = ("date", "Date", "the cell holds a date", "Format the column as Text, then type the value again.")
    VALUE_TYPE = (
        "value-type", "Not a text or number", "the value is neither a text nor a number",
        "Convert the values of the column to texts.")
    DUPLICATE_KEY = (
        "duplicate-key", "Key given twice", "the line has this key more than once",
        "Keep the value that is meant.")
    LOST_DIGITS = (
        "lost-digits", "Lost digits", "the number has more than 15 digits: Excel has replaced the rest with zeros",
        "Format the column as Text, then type the value again.")
    ROUNDED_DISPLAY = (
        "rounded-display", "Rounded by its format", "the cell shows another number than it holds",
        "Type the value that should be sent; or decide for the whole file: --numbers displayed or --numbers stored.")
    NUMBER_FORMAT = (
        "number-format", "Number format",
        "what the cell shows under its number format is not certain, or is more than the number",
        "Give the cell the format Text or General and check its value.")
    MERGED = (
        "merged", "Merged cells", "the cell is part of a merged cell: it shows a value but holds none",
        "Unmerge the cells and type the value into each row.")

    # Rows and files.
    DUPLICATE = (
        "duplicate", "Two rows for one customer", "the customer is in another row too",
        "Keep one row for each customer.")
    NO_MATCH = (
        "no-match", "No customer found", "no customer has the key of the row, or the row has none",
        "Correct the key, or fill in the customer id.")
    AMBIGUOUS_MATCH = (
        "ambiguous-match", "Several customers found", "more than one customer has the key of the row",
        "Fill in the id of the customer that is meant.")
    DUPLICATE_MATCH = (
        "duplicate-match", "Two rows found one customer", "the customer found is in another row too",
        "Keep one row for each customer.")
    KEY_CONFLICT = (
        "key-conflict", "Id and key disagree", "the customer id of the row is not that of a customer with its key",
        "Correct the id or the key.")
    REJECTED_BEFORE = (
        "rejected-before", "Rejected before", "the service rejected this row when it was sent",
        "Correct what the service names; if that is done, send the row again.")
    WHOLESALE_NEEDS_BUSINESS_NAME = (
        "wholesale-needs-business-name", "Wholesale without a business name",
        "a wholesale customer needs a business name in the same row", "Fill in BusinessName.")
    UNKNOWN_CUSTOMER = (
        "unknown-customer", "Unknown customer", "the service knows no customer with this id",
        "Correct the id, or delete the row: no customer is ever created.")
    BROKEN_QUOTES = (
        "broken-quotes", "Unbalanced quotation marks",
        "the quotation marks of this row, or of one before it, do not match up",
        'Close the quotation mark, or write it twice within a cell: "The ""Best"" Shop".')
    TOO_MANY_FIELDS = (
        "too-many-fields", "More fields than headings", "the row has more fields than there are headings",
        'If a separator is within a cell, put that cell in quotation marks ("Smith, John"); otherwise add '
        'the missing heading.')
    OPEN_FILE = (
        "open-file", "File open in another program",
        "the file is open in Excel or LibreOffice; it was read as last saved",
        "If it has unsaved changes, save and close it, then try again.")
    GUESSED_ENCODING = (
        "guessed-encoding", "Guessed encoding", "the file is not UTF-8; its encoding was guessed",
        "If accented letters look wrong, name the encoding of the file, for example --encoding cp1250.")

    # The command as a whole.
    REFUSED_FILE = (
        "refused-file", "File refused", "the file cannot be used as it is; nothing was sent",
        "The message says what to change in the file.")
    USAGE = (
        "usage", "Wrong use", "the command was used wrongly, or a setting is missing or wrong",
        "The message names the option or setting.")
    BUSY = (
        "busy", "Busy", "another process is working on this run or folder", "Wait until it has ended, then try again.")
    SIGN_IN_REFUSED = (
        "sign-in-refused", "Sign-in refused", "the service does not accept the login",
        "Check user name and password with `bulkupdate doctor`, then `bulkupdate resume`.")
    SERVICE_DOWN = (
        "service-down", "Service down", "the service gave no usable answer, or too many consecutive rows failed",
        "`bulkupdate resume` continues when the service is back.")
    UNREADABLE_LIST = (
        "unreadable-list", "Unreadable list", "the service's list of customers was unreadable or incomplete",
        "Try again later, or match with --lookup.")
    THROTTLED_TOO_LONG = (
        "throttled-too-long", "Quota used up", "the service asks for a longer wait than is sensible",
        "`bulkupdate resume` continues after the time in the message.")
    JOURNAL = (
        "journal", "Journal not usable",
        "the journal cannot be read or written: the disk is full, or the file locked, damaged or of another version",
        "Follow the message, then `bulkupdate resume`.")
    LOST_CONNECTION = (
        "lost-connection", "Database not reachable",
        "the database that holds the journal was not reachable for more than a minute",
        "Bring the database back, then `bulkupdate resume`.")
    WINDOW_CLOSED = (
        "window-closed", "Night over", "the time of `nightly --until` was reached",
        "The next night continues, or `bulkupdate resume` does.")
    STOPPED = ("stopped", "Stopped early", "the run ended before its last row", "`bulkupdate resume` continues.")
    INTERRUPTED_RUN = (
        "interrupted-run", "Interrupted",
        "the run was interrupted (Ctrl-C, or by the system); what was sent is recorded",
        "`bulkupdate resume` continues.")
    CANARY = (
        "canary", "Canary disagreed", "the first rows were not read back as they were sent, so no other row was sent",
        "Look at these customers; the message names the commands that continue or undo.")
    OVERTAKEN_RUN = (
        "overtaken-run", "Newer run", "another run has updated customers that still wait in this one",
        "Look at both runs with `bulkupdate show`; `bulkupdate resume RUN --yes` overwrites the newer values.")
    RESULTS_NOT_WRITTEN = (
        "results-not-written", "Results not written", "the rows were sent, but the results file could not be written",
        "`bulkupdate show RUN -o FILE.xlsx` writes it again from the journal.")
    BUG = (
        "bug", "Bug in bulkupdate", "the program itself failed; the journal is in order",
        "Send the crash report that the message names to your administrator; `bulkupdate resume` continues.")

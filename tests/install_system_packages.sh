#!/bin/sh
# Install the system packages that some tests need: Chromium for the upload page, LibreOffice to open workbooks as a user would,
# PostgreSQL for a journal that several hosts share, PgBouncer as a pooler in front of it.
# With --list: install nothing, only name what is missing; the tests that need it are skipped with a message.
set -u
missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v chromedriver >/dev/null 2>&1 || missing="$missing chromium-driver"
command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
command -v pgbouncer >/dev/null 2>&1 || [ -x /usr/sbin/pgbouncer ] || missing="$missing pgbouncer"
command -v soffice >/dev/null 2>&1 || missing="$missing libreoffice-calc"
[ -z "$missing" ] && exit 0
if [ "${1:-}" = --list ]; then
    echo "Not installed, so the tests that need them are skipped:$missing (make system-packages installs them)"
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
    echo "Please install, as root, with your system's package manager:$missing"
    exit 0
fi
echo "Installing for the tests of the upload page and the workbooks:$missing"
apt-get update -qq >/dev/null 2>&1
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
    echo "apt-get could not install them; the tests that need them are skipped:$missing"
exit 0

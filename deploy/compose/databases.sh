#!/bin/bash
# A database and its two roles for each service, when PostgreSQL's volume is new. Passwords are those
# in the services' own URLs, which are secrets: postgresql://ROLE:PASSWORD@HOST/DATABASE.
set -euo pipefail

password_in() { # URL's file
    local url rest
    url=$(<"$1")
    rest=${url#*://*:}
    printf '%s' "${rest%%@*}"
}

for url in /run/secrets/*_app_url; do
    owner_url=${url/_app_url/_owner_url}
    SAGALINE_SERVICE=$(sed 's|.*/||' "$url") \
        SAGALINE_APP_PASSWORD=$(password_in "$url") \
        SAGALINE_OWNER_PASSWORD=$(password_in "$owner_url") \
        psql --quiet --no-psqlrc --username "$POSTGRES_USER" --dbname postgres \
        --file /etc/sagaline/databases.sql
done

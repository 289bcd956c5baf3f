"""Files on other machines, by their addresses: https, sftp and s3."""

"""The pages and their forms: what each address of the upload page shows and does."""

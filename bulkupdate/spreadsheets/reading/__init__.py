"""Read any sheet file into a `Sheet`: every cell as the text that its user sees."""

"""The reference pages, one file each: from the code to Markdown."""

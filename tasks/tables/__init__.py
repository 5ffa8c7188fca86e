"""From result records to tables: Markdown, and a page to look at."""

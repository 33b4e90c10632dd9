"""Result values → text, JSON, Markdown, HTML."""

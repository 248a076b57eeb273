"""The documentation as pages: our own Markdown files, the API's description, and a search over both."""

"""Where the journal is kept, and the tools for its file.

Read from the bottom up; a module imports only those above it in this list:

`codec` (events as text), `records` (the file's format), `memory`, `verify`, `sqlite`,
`repair`, `export`.
"""

"""A user's strategy and the actor that runs it.

Read from the bottom up: `amount`, `params`, `state` (what a strategy remembers),
`portfolio` and `data` (what it may look at), `sizing`, `orders` (what it asks for),
`api` (the class that users derive from), `calling` (how it is called), `restore` (how
it comes back), `actor`.
"""

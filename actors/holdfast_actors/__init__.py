"""The trading actors and the tree that they form; never imports trio.

Read from the bottom up: `messages` (what they say), `clock` (market time and last
prices), `journal`, `orderbook` (the rows of `orders`), `orders`, `ledger`,
`reservations`, `guard`, `session`, `feed`, `scheduler`, `strategy` (a package), and
`tree`, which puts them together.
"""

"""Reconciliation: the books are compared with the venue, and adjusted by records.

Bottom up: `plan`, `messages`, `comparing` (what differs), `book` (what is known of
earlier ones), `bracket` and `asking` (how both sides are asked), `judging` (what is
done about it), `trading_back`, `actor`, `building`.
"""

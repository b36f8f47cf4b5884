"""What Holdfast trades and what can happen to it: values, rules and ports, no I/O.

Read from the bottom up; a module imports only those above it in this list:

`errors`, `money`, `instruments`, `orders`, `fills`, `positions`, `marketdata`,
`schedules`, `events`, `ids`, `settings`, `answers`, `orderlists`, `venues`, `ports`.
"""

"""Moving: a synchronous actor computes in a thread or a process of its own.

`checks` refuses specs that cannot be moved. Here, `moved` stands in the actor's place
and takes its mail; `places` and `process` carry each message to where the actor is,
and what it said back. There, `resident` holds the actor, and `contexts` or `home` is
what it sees of the engine; `child` is the main program of a process. What crosses to
a process is written by `pickling`.
"""

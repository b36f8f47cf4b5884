"""The console: how a running engine is asked and told from outside."""

"""What touches the world, and what stands in for it: adapters behind the ports."""
